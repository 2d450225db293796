package entry

import (
	"errors"
	"strconv"

	"friendsweep/reports/journal/outcome"
)

// appendLines appends the member that names rows: "2,5-900".
func appendLines(dst []byte, rows outcome.Rows) []byte {
	dst = append(dst, `,"lines":"`...)
	for i, s := range rows {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, s.Lo, 10)
		if s.Hi > s.Lo {
			dst = append(dst, '-')
			dst = strconv.AppendInt(dst, s.Hi, 10)
		}
	}
	return append(dst, '"')
}

var errLines = errors.New(`its "lines" are not ascending line numbers like 2,5-900`)

// parseLines appends what text names to dst. It is strict, because a wrong line number would attach an answer to
// somebody else's row: lines ascend, none is below 2 (the header) and none is above last. Neighbours are merged, so the
// same rows have one form only.
func parseLines(dst outcome.Rows, text []byte, last int64) (outcome.Rows, error) {
	from, least := len(dst), int64(2)
	for i := 0; ; i++ {
		var s outcome.Stretch
		if s.Lo, i = parseLine(text, i); i < len(text) && text[i] == '-' {
			if s.Hi, i = parseLine(text, i+1); s.Hi <= s.Lo {
				return dst, errLines
			}
		} else {
			s.Hi = s.Lo
		}
		if s.Lo < least || s.Hi > last || i < len(text) && text[i] != ',' {
			return dst, errLines
		}
		least = s.Hi + 1
		if n := len(dst); n > from && dst[n-1].Hi+1 == s.Lo {
			dst[n-1].Hi = s.Hi
		} else {
			dst = append(dst, s)
		}
		if i == len(text) {
			return dst, nil
		}
	}
}

// parseLine reads the decimal number at text[i:] and returns where it ends; 0, which is no line, where there is none or
// where it is too long for one.
func parseLine(text []byte, i int) (n int64, end int) {
	start := i
	for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
		n = n*10 + int64(text[i]-'0')
	}
	if i-start > 18 || i > start && text[start] == '0' {
		return 0, i
	}
	return n, i
}
