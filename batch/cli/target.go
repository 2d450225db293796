package cli

import (
	"errors"
	"fmt"
	"strings"

	"friendsweep/batch"
	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
)

// targetFlags say where to send and as whom.
type targetFlags struct {
	Region        string `predictor:"region" group:"first" placeholder:"NAME" help:"API host of the app's data centre: ${regions}. There is no default: the wrong region fails in confusing ways."`
	SDKAppID      int    `name:"sdkappid" group:"first" placeholder:"N" help:"The app."`
	SecretKeyFile string `predictor:"file" group:"first" placeholder:"FILE" help:"File with the app's secret key, or set FRIENDSWEEP_SECRET_KEY. UserSigs are made from it and renewed."`
	Sandbox       bool   `group:"first" help:"Use the embedded emulator: no account, no network, nothing real deleted."`
	Endpoint      string `group:"where" placeholder:"URL" help:"Instead of a region: a proxy or a test server. https only, except that a loopback host may be http."`
	Identifier    string `group:"where" default:"administrator" placeholder:"ID" help:"The app admin account."`
	UsersigFile   string `predictor:"file" group:"where" placeholder:"FILE" help:"File with a ready-made UserSig, or set FRIENDSWEEP_USERSIG, for people who must not hold the key."`
}

// checkShape looks at those of the target flags that are given; plan needs none of them.
func (f *targetFlags) checkShape() error {
	if len(f.places()) > 1 {
		return fmt.Errorf("%s exclude each other: where to?", strings.Join(f.places(), " and "))
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

// places are the flags that say where to send.
func (f *targetFlags) places() (given []string) {
	if f.Region != "" {
		given = append(given, "--region")
	}
	if f.Endpoint != "" {
		given = append(given, "--endpoint")
	}
	if f.Sandbox {
		given = append(given, "--sandbox")
	}
	return given
}

// check makes sure that it is known where to send, and as whom.
func (f *targetFlags) check() error {
	if err := f.checkShape(); err != nil || f.Sandbox {
		return err
	}
	switch {
	case f.Region == "" && f.Endpoint == "":
		return errors.New("where to?\ngive --region, --endpoint or --sandbox; the wrong region fails in confusing ways, so there is no default")
	case f.SDKAppID == 0:
		return errors.New("which app?\ngive --sdkappid")
	case f.Identifier == "":
		return errors.New("--identifier is empty: name an app admin account")
	}
	return nil
}

// app is the app that is meant: the sandbox has one of its own.
func (f *targetFlags) app() int {
	if f.Sandbox && f.SDKAppID == 0 {
		return sandbox.DefaultAppID
	}
	return f.SDKAppID
}

// endpoint is what the job's journal and summary call the place.
func (f *targetFlags) endpoint() string {
	switch {
	case f.Sandbox:
		return batch.Sandbox
	case f.Region != "":
		host, _ := chat.Host(f.Region)
		return "https://" + host
	case f.Endpoint != "":
		endpoint, _ := chat.ParseEndpoint(f.Endpoint)
		return endpoint
	}
	return ""
}
