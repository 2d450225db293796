package proof

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// reported is a line of a report.
type reported struct {
	line            int64
	from, to        string
	status, outcome string
	code, info      string
	attempts        int
	finishedAt      string
}

// failuresMatch: the failures file has the failed lines of the report, and they alone.
func failuresMatch(report []reported, path string) (wrong []string) {
	failures, err := readReport(path)
	if err != nil {
		return []string{err.Error()}
	}
	n := 0
	for _, line := range report {
		if line.status != "failure" {
			continue
		}
		if n >= len(failures) || failures[n] != line {
			return []string{fmt.Sprintf("line %d of the report is not in its place in the failures", line.line)}
		}
		n++
	}
	if n != len(failures) {
		wrong = append(wrong, fmt.Sprintf("%d failures, want %d", len(failures), n))
	}
	return wrong
}

// readReport reads a report with nothing of the program's own.
func readReport(path string) ([]reported, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(bufio.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	if got := fmt.Sprint(records[0]); got != "[line from_account to_account status outcome result_code result_info attempts finished_at]" {
		return nil, fmt.Errorf("the header is %s", got)
	}
	var all []reported
	for _, r := range records[1:] {
		line, err1 := strconv.ParseInt(r[0], 10, 64)
		attempts, err2 := strconv.Atoi(r[7])
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		all = append(all, reported{line, r[1], r[2], r[3], r[4], r[5], r[6], attempts, r[8]})
	}
	return all, nil
}
