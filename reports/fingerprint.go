package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"friendsweep/reports/whole"
)

// Fingerprint lets an auditor find out whether a file is still the one this run wrote or read.
type Fingerprint struct {
	What   string // input, report, failures or journal
	Path   string
	Bytes  int64
	SHA256 string // hex
}

// FingerprintFile reads the file at path. Take it when nothing writes to the file any more.
func FingerprintFile(what, path string) (Fingerprint, error) { return FingerprintWith(what, path, nil) }

// FingerprintWith is of the file at path as it will be when the last bytes are appended to it.
func FingerprintWith(what, path string, last []byte) (Fingerprint, error) {
	f, err := whole.Open(path)
	if err != nil {
		return Fingerprint{}, fmt.Errorf("fingerprinting the %s: %w", what, err)
	}
	defer f.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.MultiReader(f, bytes.NewReader(last)))
	if err != nil {
		return Fingerprint{}, fmt.Errorf("fingerprinting the %s: %w", what, err)
	}
	return Fingerprint{What: what, Path: path, Bytes: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}
