package proof

import (
	"maps"
	"testing"
)

// call is a call of the API as the contract and chat-api.md have it, typed in once more.
type call struct {
	name    string // the command
	command string // the end of the URL's path
	loses   bool   // a lost answer may have been carried out
	request map[int]meaning
	item    map[int]meaning
	good    []string // the outcomes that are successes
	also    []string // the same with the flag
	flag    []string // which is this
}

var deletion = &call{
	name: "delete", command: "friend_delete", loses: true, request: requestMeans, item: itemMeans,
	good: []string{"deleted"}, also: []string{"deleted", "not_friend"}, flag: []string{"--ignore-not-friend"},
}

// checking knows no 30008 and no 317xx: as any other code of an item they are no for good, as any other of a request they are
// tried again.
var checking = &call{
	name: "check", command: "friend_check",
	request: with(requestMeans, map[int]meaning{30008: retry, 31704: retry, 31707: retry}),
	item:    with(itemMeans, map[int]meaning{30008: refuse, 31704: refuse, 31707: refuse}),
	good:    []string{"reverse", "strangers"}, also: []string{"friends", "one_way", "reverse", "strangers"}, flag: []string{"--expect", "any"},
}

func with(means, other map[int]meaning) map[int]meaning {
	all := maps.Clone(means)
	maps.Copy(all, other)
	return all
}

// relations are the words of a check for what the API calls the relation.
var relations = map[string]string{
	"CheckResult_Type_BothWay": "friends", "CheckResult_Type_AWithB": "one_way",
	"CheckResult_Type_BWithA": "reverse", "CheckResult_Type_NoRelation": "strangers",
}

// forEach makes a test one of each call.
func forEach(t *testing.T, test func(t *testing.T, c *call)) {
	t.Helper()
	for _, c := range []*call{deletion, checking} {
		t.Run(c.name, func(t *testing.T) { test(t, c) })
	}
}

// success is the outcomes that are successes, with the flag or without.
func (c *call) success(flag bool) []string {
	if flag {
		return c.also
	}
	return c.good
}
