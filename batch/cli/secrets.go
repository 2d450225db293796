package cli

import (
	"cmp"
	"context"
	"errors"
	"os"

	"friendsweep/batch/chat"
	"friendsweep/batch/cli/secret"
)

// secrets reads the one secret that requests are signed with, from the environment or a file.
func (f *targetFlags) secrets(ctx context.Context) (key, sig chat.Secret, err error) {
	keySource := secret.Source{Variable: secretKeyEnv, Value: os.Getenv(secretKeyEnv), Flag: "--secret-key-file", File: f.SecretKeyFile}
	sigSource := secret.Source{Variable: userSigEnv, Value: os.Getenv(userSigEnv), Flag: "--usersig-file", File: f.UsersigFile}
	if f.Sandbox { // it needs none
		return "", "", cmp.Or(keySource.CheckFile(), sigSource.CheckFile())
	}
	if key, err = keySource.Read(ctx); err != nil {
		return "", "", err
	}
	if sig, err = sigSource.Read(ctx); err != nil {
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
