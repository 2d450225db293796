// Package manifests holds the recipe for Kubernetes against the types of Kubernetes' API, and runs what it runs. It is a
// module of its own, so that friendsweep does not depend on Kubernetes: .ci/run calls it, `go -C .ci/manifests test`.
package manifests

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const recipe = "../../testdata/recipes/cronjob.yaml"

// manifests decodes the recipe; a field that the API does not have, or has elsewhere, is an error.
func manifests(t *testing.T) (job batch.CronJob, claim core.PersistentVolumeClaim) {
	t.Helper()
	text, err := os.ReadFile(recipe)
	if err != nil {
		t.Fatal(err)
	}
	documents := bytes.Split(text, []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("got %d documents, want 2", len(documents))
	}
	if err := yaml.UnmarshalStrict(documents[0], &job); err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(documents[1], &claim); err != nil {
		t.Fatal(err)
	}
	return job, claim
}

// TestUnknownFieldsAreRefused: the decoding is as strict as the test of the recipe needs it.
func TestUnknownFieldsAreRefused(t *testing.T) {
	var job batch.CronJob
	if err := yaml.UnmarshalStrict([]byte("spec: {jobTemplate: {spec: {podFailurPolicy: {}}}}"), &job); err == nil {
		t.Error("got no error for a misspelt field, want one")
	}
}

// TestNamesFit: what the API server or the kubelet would refuse although every field is known.
func TestNamesFit(t *testing.T) {
	job, claim := manifests(t)
	if job.APIVersion != "batch/v1" || job.Kind != "CronJob" || claim.APIVersion != "v1" || claim.Kind != "PersistentVolumeClaim" {
		t.Errorf("got %s %s and %s %s", job.APIVersion, job.Kind, claim.APIVersion, claim.Kind)
	}
	pod := job.Spec.JobTemplate.Spec.Template.Spec
	container := pod.Containers[0]
	var volumes []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
		if c := v.PersistentVolumeClaim; c != nil && c.ClaimName != claim.Name {
			t.Errorf("volume %s: got the claim %s, want %s", v.Name, c.ClaimName, claim.Name)
		}
	}
	for _, m := range container.VolumeMounts {
		if !slices.Contains(volumes, m.Name) {
			t.Errorf("%s is mounted at %s, want one of the volumes %v", m.Name, m.MountPath, volumes)
		}
	}
	build, err := os.ReadFile("../../.container/build")
	if err != nil || !strings.Contains(string(build), "name=${1:-"+container.Image+"}") {
		t.Errorf("got the image %s, want the one that .container/build builds (%v)", container.Image, err)
	}
}

// TestFailurePolicy: exit codes that would only come again fail the Job, and no others.
func TestFailurePolicy(t *testing.T) {
	job, _ := manifests(t)
	spec := job.Spec.JobTemplate.Spec
	if got := spec.Template.Spec.RestartPolicy; got != core.RestartPolicyNever {
		t.Errorf("got the restart policy %s, want Never: podFailurePolicy is refused with any other", got)
	}
	rule := spec.PodFailurePolicy.Rules[0]
	if rule.Action != batch.PodFailurePolicyActionFailJob || rule.OnExitCodes.Operator != batch.PodFailurePolicyOnExitCodesOpIn ||
		*rule.OnExitCodes.ContainerName != spec.Template.Spec.Containers[0].Name {
		t.Errorf("got the rule %+v, want one that fails the Job of this container", rule)
	}
	help, err := os.ReadFile("../../batch/cli/help/exit-codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	var final []int32
	for code, advice := range codes(string(help)) {
		if code != 0 && !strings.Contains(advice, "--resume") {
			final = append(final, code)
		}
	}
	slices.Sort(final)
	if got := rule.OnExitCodes.Values; !slices.Equal(got, final) {
		t.Errorf("got %v, want those that cannot be resumed: %v", got, final)
	}
	unit, err := os.ReadFile("../../testdata/recipes/friendsweep.service")
	want := "\nRestartPreventExitStatus=" + strings.Trim(fmt.Sprint(final), "[]") + "\n"
	if err != nil || !strings.Contains(string(unit), want) {
		t.Errorf("friendsweep.service does not have %q (%v)", want, err)
	}
}

// codes are the exit codes of the help, each with what the help says about it.
func codes(help string) map[int32]string {
	said := map[int32]string{}
	var last []int32
	for line := range strings.Lines(help) {
		numbers := regexp.MustCompile(`^\d+(, \d+)*`).FindString(line)
		if numbers != "" {
			last = nil
			for word := range strings.SplitSeq(numbers, ", ") {
				n, _ := strconv.Atoi(word)
				last = append(last, int32(n))
			}
		} else if !strings.HasPrefix(line, " ") {
			last = nil
		}
		for _, code := range last {
			said[code] += line
		}
	}
	return said
}

// TestArguments runs the container's arguments with its environment, the emulator in the place of the region.
func TestArguments(t *testing.T) {
	job, _ := manifests(t)
	container := job.Spec.JobTemplate.Spec.Template.Spec.Containers[0]
	dir := t.TempDir()
	program := filepath.Join(dir, "friendsweep")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	url, key := emulator(t, program)
	write(t, filepath.Join(dir, "pairs.csv"), "from,to\na,b\n")
	write(t, filepath.Join(dir, "key"), key+"\n")
	inside := strings.NewReplacer("$(JOB_NAME)", "friendsweep-1", "/data/", dir+"/", "/secrets/", dir+"/")
	var args []string
	for _, arg := range container.Args {
		args = append(args, inside.Replace(arg))
	}
	run := exec.Command(program, args...)
	run.Env = []string{"FRIENDSWEEP_ENDPOINT=" + url}
	for _, e := range container.Env {
		if e.Name != "FRIENDSWEEP_REGION" && e.Value != "" {
			run.Env = append(run.Env, e.Name+"="+inside.Replace(e.Value))
		}
	}
	if out, err := run.CombinedOutput(); err != nil {
		t.Fatalf("%v: got %v\n%s", args, err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "friendsweep-1.report.csv")); err != nil {
		t.Errorf("got %v, want the report named after the Job", err)
	}
}

// emulator starts the program's own, and returns its address and key.
func emulator(t *testing.T, program string) (url, key string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	served := exec.CommandContext(ctx, program, "sandbox", "--listen", "127.0.0.1:0")
	out, err := served.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := served.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = served.Wait() })
	var said []byte
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		said = append(said, buf[:n]...)
		url = regexp.MustCompile(`http://127[.0-9:]+`).FindString(string(said))
		key = regexp.MustCompile(`\b[0-9a-f]{64}\b`).FindString(string(said))
		if url != "" && key != "" {
			return url, key
		}
		if err != nil {
			t.Fatalf("the emulator said %q: %v", said, err)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReleaseTakesWhatIsThere: the files that .goreleaser.yaml puts into archives and packages exist, or are made by its hook.
func TestReleaseTakesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type source struct{ Src string }
	var release struct {
		Archives []struct{ Files []source }
		Nfpms    []struct{ Contents []source }
	}
	if err := yaml.Unmarshal(text, &release); err != nil {
		t.Fatal(err)
	}
	sources := slices.Concat(release.Archives[0].Files, release.Nfpms[0].Contents)
	if len(sources) < 10 {
		t.Errorf("got %d files, want at least 10", len(sources))
	}
	for _, s := range sources {
		if found, err := filepath.Glob("../../" + s.Src); len(found) == 0 && !strings.HasPrefix(s.Src, ".completions/") {
			t.Errorf("%s: got nothing (%v), want a file", s.Src, err)
		}
	}
}
