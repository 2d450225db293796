package journal

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"friendsweep/reports/journal/entry"
	"friendsweep/reports/whole"
)

// How a line gets into the journal and onto the disk. Every function here is called with j.mu held.

// append seals j.buf, a line without its end, and writes it with one write call: it outlives the process, and a power cut
// after the next sync.
func (j *Journal) append() error {
	var h string
	j.buf, h = entry.Seal(j.buf, j.link)
	if len(j.buf) > maxLine {
		return j.spoil("writing", fmt.Errorf("a line of %d bytes is too long", len(j.buf)))
	}
	n, err := j.write(j.buf)
	if err == nil && n == len(j.buf) {
		j.size += int64(n)
		j.link = h
		return nil
	}
	if err == nil {
		err = errors.New("the disk took half a line")
	}
	err = j.spoil("writing", err)
	// Best effort: if the half line stays it is the torn tail, which nothing can follow any more.
	_ = j.file.Truncate(j.size)
	return err
}

// spoil ends the journal: see [Journal].
func (j *Journal) spoil(doing string, err error) error {
	if j.err == nil {
		j.err = fmt.Errorf("%s %s: %w\nonce the cause is gone, the run can be resumed", doing, j.path, err)
		j.turn.Broadcast()
	}
	return j.err
}

// settle returns when everything written so far is on disk. One of those who wait syncs for all; whoever came while it
// did so has to wait for another one, because a sync says nothing about later writes.
func (j *Journal) settle() error {
	need := j.size
	for j.err == nil && j.synced < need {
		if j.syncing {
			j.turn.Wait()
			continue
		}
		j.syncing = true
		upTo := j.size
		j.mu.Unlock()
		err := j.syncNamed()
		j.mu.Lock()
		j.syncing = false
		j.turn.Broadcast()
		if err != nil {
			// After a failed sync nobody knows what is on disk, and a second one may say that all is well.
			return j.spoil("syncing", err)
		}
		j.synced = upTo
	}
	return j.err
}

// syncNamed syncs, and checks that the file still has its name: a journal that nobody can find again records nothing.
// It is called without j.mu.
func (j *Journal) syncNamed() error {
	if err := j.sync(); err != nil {
		return err
	}
	if !stillAt(j.path, j.inode) {
		return errors.New("it was removed or replaced while the run used it")
	}
	return nil
}

// add writes the entry.
func (j *Journal) add(e *entry.Entry) (err error) {
	if j.buf, err = entry.Append(j.buf[:0], j.call, e); err != nil {
		return fmt.Errorf("writing %s: %w", j.path, err)
	}
	return j.append()
}

// addRun writes the entry with which a run begins, and returns when it is on disk.
func (j *Journal) addRun(e *entry.Entry) error {
	if j.err != nil {
		return j.err
	}
	if err := j.add(e); err != nil {
		return err
	}
	return j.settle()
}

// cutTo cuts the file off behind its first size bytes.
func (j *Journal) cutTo(size int64) error {
	if j.err != nil {
		return j.err
	}
	if j.size == size {
		return nil
	}
	if err := j.file.Truncate(size); err != nil {
		return j.spoil("cutting the torn end of", err)
	}
	j.size, j.synced = size, 0
	return nil
}

// renew makes sure that the good lines of an earlier run are on the disk before anything is written behind them, and
// takes up its chain. After a failed write or sync, a crash or a power cut nobody knows which pages the disk has: Linux may
// call a page clean whose write failed, so that a later sync says nothing about it (Rebello et al., USENIX ATC 2020). Only
// a run that ended in order has synced all of them; else they are written anew.
func (j *Journal) renew() error {
	if j.err != nil {
		return j.err
	}
	past := j.past
	if past.Ended {
		if err := j.cutTo(past.good); err != nil {
			return err
		}
	} else if err := j.rewrite(past.good); err != nil {
		return fmt.Errorf("writing %s anew: %w", j.path, err)
	}
	j.link, j.next, j.past = past.Link, past.nextID, past
	return nil
}

// rewrite puts a copy of the first good bytes in the journal's place. The copy is locked before it has the name, so at no
// moment could another process take the job.
func (j *Journal) rewrite(good int64) error {
	copied, err := whole.Create(j.path)
	if err != nil {
		return err
	}
	defer copied.Discard()
	if err := flock(copied.File(), syscall.LOCK_EX); err != nil {
		return err
	}
	if _, err := io.Copy(copied, io.NewSectionReader(j.file, 0, good)); err != nil {
		return err
	}
	if !stillAt(j.path, j.inode) {
		return errors.New("it was removed or replaced while the run used it")
	}
	fresh, err := copied.Keep()
	if err != nil {
		return err
	}
	before, past := j.file, j.past
	if err := j.adopt(fresh); err != nil {
		return err
	}
	j.past = past
	return before.Close()
}
