package input

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// whyInvalid says why a row can never be sent, or nothing.
func (r *rows) whyInvalid(from, to string) string {
	if why := badID(from); why != "" {
		return r.labels[0] + " " + why
	}
	if why := badID(to); why != "" {
		return r.labels[1] + " " + why
	}
	if from == to {
		return r.labels[0] + " and " + r.labels[1] + " are the same account"
	}
	return ""
}

// badID checks an account ID against the vendor's rules (product 1047, UserID): 1 to 32 bytes of printable ASCII.
func badID(id string) string {
	if id == "" {
		return "is empty"
	}
	if len(id) > MaxID {
		return fmt.Sprintf("is %d bytes long, 32 is the most", len(id))
	}
	for i := range len(id) {
		if id[i] < 0x20 || id[i] > 0x7e {
			return fmt.Sprintf("has the byte 0x%02x, which is not printable ASCII", id[i])
		}
	}
	return ""
}

// label cuts a name that is too long.
func label(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// OtherReasons counts, in [Input.InvalidReasons], the records with the reasons that are not among the commonest.
const OtherReasons = "other reasons"

const (
	mostReasons    = 20   // that are told apart in the end
	countedReasons = 1000 // that are counted on the way: a length or a number of fields makes a reason of its own
)

// reasons counts the invalid records by what is wrong with them, and does not grow with the input.
type reasons map[string]int64

func (r reasons) add(reason string) {
	if _, known := r[reason]; !known && len(r) >= countedReasons {
		reason = OtherReasons
	}
	r[reason]++
}

// commonest keeps the commonest reasons, and counts the others together.
func (r reasons) commonest() map[string]int64 {
	list := slices.SortedFunc(maps.Keys(r), func(a, b string) int {
		return cmp.Or(cmp.Compare(r[b], r[a]), cmp.Compare(a, b))
	})
	kept := map[string]int64{}
	for i, reason := range list {
		if i >= mostReasons {
			kept[OtherReasons] += r[reason]
		} else {
			kept[reason] += r[reason]
		}
	}
	return kept
}
