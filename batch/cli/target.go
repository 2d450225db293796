package cli

import (
	"errors"
	"fmt"
	"strings"

	"friendsweep/batch/chat"
	"friendsweep/reports/sweep"
)

// checkShape looks at those of the target flags that are given; plan needs none of them.
func (f *targetFlags) checkShape() error {
	if f.Region != "" && f.Endpoint != "" || f.Sandbox && f.Region+f.Endpoint != "" {
		return errors.New("--region, --endpoint and --sandbox exclude each other")
	}
	if f.Region != "" {
		if _, ok := chat.Host(f.Region); !ok {
			return fmt.Errorf("--region %q is none of %s", f.Region, strings.Join(chat.Regions(), ", "))
		}
	}
	if f.Endpoint != "" {
		if _, err := chat.ParseEndpoint(f.Endpoint); err != nil {
			return fmt.Errorf("--endpoint: %w", err)
		}
	}
	if f.SDKAppID < 0 {
		return fmt.Errorf("--sdkappid %d must be more than 0", f.SDKAppID)
	}
	return nil
}

// check makes sure that it is known where to send, and as whom.
func (f *targetFlags) check() error {
	if err := f.checkShape(); err != nil || f.Sandbox {
		return err
	}
	switch {
	case f.Region == "" && f.Endpoint == "":
		return errors.New("where to? give --region, --endpoint or --sandbox\nthe wrong region fails in confusing ways, so there is no default")
	case f.SDKAppID == 0:
		return errors.New("which app? give --sdkappid")
	case f.Identifier == "":
		return errors.New("--identifier is empty: name an app admin account")
	}
	return nil
}

// endpoint is what the job's journal and summary call the place.
func (f *targetFlags) endpoint() string {
	switch {
	case f.Sandbox:
		return sweep.Sandbox
	case f.Region != "":
		host, _ := chat.Host(f.Region)
		return "https://" + host
	case f.Endpoint != "":
		endpoint, _ := chat.ParseEndpoint(f.Endpoint)
		return endpoint
	}
	return ""
}
