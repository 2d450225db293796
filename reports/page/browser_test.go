package page

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// harness loads the page in frames of several widths and says what it finds, for the page itself has no script.
const harness = `<!DOCTYPE html><meta charset="utf-8"><title>harness</title><body><pre id="out">not done</pre><script>
const widths = [320, 400, 800, 1400];
const rgb = c => c.match(/[\d.]+/g).map(Number);
const light = c => { const [r, g, b] = rgb(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 }); return .2126 * r + .7152 * g + .0722 * b };
const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05) };
function behind(el, view) {
  for (; el; el = el.parentElement) { const c = view.getComputedStyle(el).backgroundColor; if ((rgb(c)[3] ?? 1) > 0) return c }
  return 'rgb(255,255,255)';
}
function look(frame) {
  const view = frame.contentWindow, doc = frame.contentDocument, found = { worst: 99, where: '', texts: 0, cut: [] };
  found.wide = doc.documentElement.scrollWidth - doc.documentElement.clientWidth;
  found.scheme = view.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  const walk = doc.createTreeWalker(doc.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const el = walk.currentNode.parentElement, box = el.getBoundingClientRect();
    if (!walk.currentNode.data.trim() || !box.width) continue;
    found.texts++;
    if (box.right > view.innerWidth + 1) found.cut.push(walk.currentNode.data.slice(0, 40));
    const c = contrast(view.getComputedStyle(el).color, behind(el, view));
    if (c < found.worst) { found.worst = c; found.where = walk.currentNode.data.slice(0, 40) }
  }
  return found;
}
Promise.all(widths.map(w => new Promise(done => {
  const f = document.createElement('iframe');
  f.style.cssText = 'border:0;height:900px;width:' + w + 'px';
  f.onload = () => done([w, look(f)]); f.src = '/page'; document.body.append(f);
}))).then(all => { document.getElementById('out').textContent = JSON.stringify(Object.fromEntries(all)) });
</script>`

type seenPage struct {
	Worst  float64  // contrast of the text that is hardest to read
	Where  string   // which text that is
	Texts  int      // how many there are
	Cut    []string // texts that stand beyond the right edge
	Wide   int      // pixels to scroll sideways
	Scheme string
}

// TestPageInChromium looks at the page as a browser shows it, narrow and wide, light and dark.
func TestPageInChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not in PATH (Debian package chromium): the page was NOT looked at in a browser")
	}
	var mu sync.Mutex
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.Path)
		mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/page" {
			if err := Render(w, testPage()); err != nil {
				t.Error(err)
			}
			return
		}
		fmt.Fprint(w, harness)
	}))
	defer srv.Close()
	for scheme, setting := range map[string]string{"dark": "0", "light": "1"} {
		for width, got := range inChromium(t, chromium, setting, srv.URL) {
			if got.Scheme != scheme || got.Texts < 100 {
				t.Errorf("width %s: got %d texts in %s, want more than 100 in %s", width, got.Texts, got.Scheme, scheme)
			}
			if got.Wide > 0 || len(got.Cut) > 0 {
				t.Errorf("%s, width %s: got %d pixels too wide, beyond the edge %q, want none", scheme, width, got.Wide, got.Cut)
			}
			if got.Worst < 4.5 {
				t.Errorf("%s, width %s: got a contrast of %.2f at %q, want 4.5", scheme, width, got.Worst, got.Where)
			}
		}
	}
	for _, path := range asked {
		if path != "/" && path != "/page" && path != "/favicon.ico" { // the icon is the harness's
			t.Errorf("the page asked for %s, want nothing", path)
		}
	}
}

func inChromium(t *testing.T, chromium, setting, url string) map[string]seenPage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--blink-settings=preferredColorScheme="+setting, "--virtual-time-budget=10000", "--window-size=1500,1000", "--dump-dom", url+"/")
	var said strings.Builder
	cmd.Stderr = &said
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, said.String())
	}
	out := regexp.MustCompile(`(?s)<pre id="out">(.*?)</pre>`).FindSubmatch(dom)
	if out == nil {
		t.Fatalf("got %.500s, want what the harness found", dom)
	}
	var seen map[string]seenPage
	if err := json.Unmarshal([]byte(html.UnescapeString(string(out[1]))), &seen); err != nil || len(seen) != 4 {
		t.Fatalf("got %s, %v, want four widths", out[1], err)
	}
	return seen
}
