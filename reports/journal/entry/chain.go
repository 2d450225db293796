package entry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
)

// The last member of every line is "h": the first half of the SHA-256 over the h of the line before, nothing for the
// first line, and this line's bytes up to the comma before "h". So no byte of a line can change without every command
// that reads the journal seeing it, and the last h, the head, vouches for all lines.
const (
	digits    = 32
	linkStart = `,"h":"`
	linkEnd   = `"}`
	linkSize  = len(linkStart) + digits + len(linkEnd)
)

// link is the h of a line whose bytes up to the comma before "h" are text; previous is the h of the line before.
func link(previous string, text []byte) string {
	sum := sha256.New()
	sum.Write([]byte(previous))
	sum.Write(text)
	var h [sha256.Size]byte
	return hex.EncodeToString(sum.Sum(h[:0])[:digits/2])
}

// Seal ends an object that lacks its closing brace with its h and a newline, and returns the line and the h.
func Seal(line []byte, previous string) ([]byte, string) {
	h := link(previous, line)
	line = append(line, linkStart...)
	line = append(line, h...)
	return append(line, linkEnd+"\n"...), h
}

// Link reads the h that ends a line without its newline. ok is false where none does; fits says that it is the one which the
// line has where previous is the h of the line before it.
func Link(line []byte, previous string) (h string, fits, ok bool) {
	text, h, ok := unseal(line)
	return h, ok && link(previous, text) == h, ok
}

// unseal cuts the h from a line without its newline. ok is false where no h ends it.
func unseal(line []byte) (text []byte, h string, ok bool) {
	cut := len(line) - linkSize
	if cut < 0 || !bytes.HasPrefix(line[cut:], []byte(linkStart)) || !bytes.HasSuffix(line, []byte(linkEnd)) {
		return line, "", false
	}
	h = string(line[cut+len(linkStart) : len(line)-len(linkEnd)])
	for i := range len(h) {
		if c := h[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return line, "", false
		}
	}
	return line[:cut], h, true
}

// HidesALine reports whether a line that cannot be read begins with a whole one that follows previous: its line break
// was changed, which no torn write does.
func HidesALine(line []byte, previous string) bool {
	for from := 0; ; {
		i := bytes.Index(line[from:], []byte(linkStart))
		if i < 0 {
			return false
		}
		end := from + i + linkSize
		if end < len(line) {
			if text, h, ok := unseal(line[:end]); ok && link(previous, text) == h {
				return true
			}
		}
		from += i + len(linkStart)
	}
}
