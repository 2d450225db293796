package sandbox_test

import (
	"strconv"
	"testing"
	"time"

	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"

	"github.com/google/go-cmp/cmp"
)

// client makes one call, by the program's own client over loopback.
func client(t *testing.T, call chat.Call, base string) *chat.Client {
	t.Helper()
	c, err := chat.NewClient(chat.Config{
		Endpoint: base, AppID: sandbox.DefaultAppID, Identifier: sandbox.DefaultIdentifier, Call: call,
		Signer:  chat.NewSigner(sandbox.DefaultAppID, sandbox.DefaultIdentifier, sandbox.DefaultKey),
		Timeout: 5 * time.Second, Workers: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// said is what the answer means for each row, in the words of the call's outcomes where it is final.
func said(call chat.Call, a chat.Answer, rows int) []string {
	var words []string
	for i := range rows {
		r := call.Row(&a, i)
		word := r.Verdict.String()
		if r.Verdict == chat.Final {
			word = call.Outcomes[r.Outcome].Word
		}
		if r.Code.Given && r.Code.Number != 0 {
			word += " " + strconv.Itoa(r.Code.Number)
		}
		words = append(words, word)
	}
	return words
}

// The program's client and the emulator agree on the words of both calls, before a deletion and after.
func TestClientAgrees(t *testing.T) {
	to := []string{"b", "one-way-1", "not-friend-1", "missing-1", "busy-30006-1", "busy-30007-1"}
	for _, tt := range []struct {
		deleteType                            chat.DeleteType
		before, deleted, again, after, atLast []string
	}{
		{
			chat.Single,
			[]string{"friends", "one_way", "strangers", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"deleted", "deleted", "not_friend 31704", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"not_friend 31704", "not_friend 31704", "not_friend 31704", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"reverse", "strangers", "strangers", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"reverse", "strangers", "strangers", "refuse 30003", "friends", "friends"},
		},
		{
			chat.Both,
			[]string{"friends", "one_way", "strangers", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"deleted", "deleted", "not_friend 31704", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"not_friend 31704", "not_friend 31704", "not_friend 31704", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"strangers", "strangers", "strangers", "refuse 30003", "retry 30006", "retry 30007"},
			[]string{"strangers", "strangers", "strangers", "refuse 30003", "friends", "friends"},
		},
	} {
		_, c := start(t, sandbox.Options{})
		deletion, check := chat.Delete(tt.deleteType), chat.Check()
		deletes, checks := client(t, deletion, c.base), client(t, check, c.base)
		for _, step := range []struct {
			name   string
			call   chat.Call
			client *chat.Client
			want   []string
		}{
			{"before", check, checks, tt.before},
			{"deleted", deletion, deletes, tt.deleted},
			{"deleted again", deletion, deletes, tt.again},
			{"after", check, checks, tt.after},
			{"at last", check, checks, tt.atLast},
		} {
			got := said(step.call, step.client.Do(t.Context(), "a", to), len(to))
			if diff := cmp.Diff(got, step.want); diff != "" {
				t.Errorf("%s, %s (-got +want):\n%s", tt.deleteType, step.name, diff)
			}
		}
	}
}

// The same answer that is lost to a deletion is nothing lost to a check.
func TestClientOnLostAnswers(t *testing.T) {
	_, c := start(t, sandbox.Options{})
	for _, call := range []chat.Call{chat.Check(), chat.Delete(chat.Both)} {
		a := client(t, call, c.base).Do(t.Context(), "a", []string{"lost-answer-1"})
		if r := call.Row(&a, 0); r.Verdict != chat.Retry || r.Lost != call.Loses || a.Kind != chat.LostFault {
			t.Errorf("%s: got %+v of %+v, want a retry that lost something: %v", call.Name, r, a, call.Loses)
		}
	}
	a := client(t, chat.Check(), c.base).Do(t.Context(), "a", []string{"lost-answer-1"})
	if got, want := said(chat.Check(), a, 1)[0], "strangers"; got != want {
		t.Errorf("check after a lost deletion: got %s, want %s", got, want)
	}
}
