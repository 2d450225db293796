package proof

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"friendsweep/batch/chat"
	"friendsweep/batch/sandbox"
)

// Every run of every test in this package is searched for secrets by process.wait. Here the server does its best to have
// them repeated.

// TestEchoes: whatever kind of answer repeats the URL, the signature in it goes nowhere.
func TestEchoes(t *testing.T) { forEach(t, echoes) }

func echoes(t *testing.T, c *call) {
	for kind, b := range breakages {
		asACode := strings.HasPrefix(b.name, "code ") || strings.HasPrefix(b.name, "HTTP ") // the same in every call
		if b.dreamt || c == checking && asACode {
			continue
		}
		t.Run(b.name, func(t *testing.T) {
			s := newSiteOf(t, c, smallTable(2))
			s.server.echo = true
			s.server.plan = func(_ string, n int) fault { return fault{kind * min(1, max(0, 3-n)), uint64(n)} }
			s.flags = []string{"--failures", s.path("failures.csv"), "--html", s.path("page.html"), "--metrics-file", s.path("figures.prom"),
				"--max-attempts", "2"}
			s.run(s.deletes("--log-format", "json")...)
			s.run(s.deletes("--json")...)
			s.run("status", s.path("report.csv"))
			s.run("report", s.path("report.csv"))
			if len(s.server.sigs) == 0 {
				t.Error("no request came: the test does not test")
			}
		})
	}
}

// TestGivenSignature: a ready-made UserSig is as secret as one of ours, wherever it comes from.
func TestGivenSignature(t *testing.T) {
	sig, _, err := chat.NewSigner(sandbox.DefaultAppID, sandbox.DefaultIdentifier, sandbox.DefaultKey).Signature()
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"environment", "file", "key file"} {
		t.Run(way, func(t *testing.T) {
			s := newSite(t, smallTable(2))
			s.server.echo = true
			s.server.plan = func(_ string, n int) fault { return fault{kindOf("code 70001") * (1 - n%2), 0} }
			p := s.prepare(s.deletes("--workers", "1")...) // so that each new signature is accepted once
			p.Env = p.Env[:len(p.Env)-1]                   // the key
			secret := t.TempDir() + "/secret"
			switch way {
			case "environment":
				p.Env = append(p.Env, "FRIENDSWEEP_USERSIG="+sig.Reveal())
			case "file":
				p.Args = append(p.Args, "--usersig-file", secret)
				err = os.WriteFile(secret, []byte(sig.Reveal()+"\n"), 0o600)
			case "key file":
				p.Args = append(p.Args, "--secret-key-file", secret)
				err = os.WriteFile(secret, []byte(sandbox.DefaultKey+"\n"), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			p.start()
			if way == "key file" {
				p.wait().want(t, 0) // it signs anew and goes on
			} else {
				p.wait().want(t, 4, "70001", "[secret]")
			}
		})
	}
}

// TestCrash: a crash looks like one, leaves no memory behind in a file, shows no secret, and can be resumed.
func TestCrash(t *testing.T) { forEach(t, crash) }

func crash(t *testing.T, c *call) {
	for _, signal := range []syscall.Signal{syscall.SIGABRT, syscall.SIGQUIT, syscall.SIGSEGV} {
		t.Run(signal.String(), func(t *testing.T) {
			s := newSiteOf(t, c, smallTable(3))
			if _, err := exec.LookPath("prlimit"); err == nil {
				s.wrap = []string{"prlimit", "--core=unlimited"} // as far as the caller is concerned there may be cores
			}
			g := s.hold()
			s.server.run++
			p := s.prepare(s.deletes("--workers", "1")...)
			p.start()
			<-g.arrived
			p.Process.Signal(signal)
			r := p.wait()
			g.open()
			if r.signal != syscall.SIGABRT {
				t.Errorf("got exit code %d, signal %v; want an abort, 134 in a shell", r.code, r.signal)
			}
			if !strings.Contains(r.stderr, "goroutine ") {
				t.Errorf("got nothing about where it crashed:\n%s", r.stderr)
			}
			if left := s.leftovers("report.csv.journal"); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
			s.settled(p, false)
			s.wrap = nil
			s.finish(0)
		})
	}
}
