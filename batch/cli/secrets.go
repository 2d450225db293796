package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"friendsweep/batch/chat"
)

// secrets reads the one secret that requests are signed with, from the environment or a file.
func (f *targetFlags) secrets() (key, sig chat.Secret, err error) {
	if f.Sandbox {
		return "", "", nil
	}
	if key, err = secret(secretKeyEnv, "--secret-key-file", f.SecretKeyFile); err != nil {
		return "", "", err
	}
	if sig, err = secret(userSigEnv, "--usersig-file", f.UsersigFile); err != nil {
		return "", "", err
	}
	switch {
	case key != "" && sig != "":
		return "", "", errors.New("both a secret key and a UserSig are given: which one?\n" +
			"unset FRIENDSWEEP_USERSIG and --usersig-file, or FRIENDSWEEP_SECRET_KEY and --secret-key-file")
	case key == "" && sig == "":
		return "", "", errors.New("no credentials\nset FRIENDSWEEP_SECRET_KEY or give --secret-key-file; " +
			"for a ready-made UserSig FRIENDSWEEP_USERSIG or --usersig-file")
	}
	return key, sig, nil
}

func secret(env, flag, file string) (chat.Secret, error) {
	value := os.Getenv(env)
	if file == "" {
		return chat.Secret(strings.TrimSpace(value)), nil
	}
	if value != "" {
		return "", fmt.Errorf("both %s and %s are given: which one?", env, flag)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", flag, file, errors.Unwrap(err))
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "", fmt.Errorf("%s: %s is empty", flag, file)
	}
	return chat.Secret(text), nil
}
