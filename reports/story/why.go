package story

import (
	"fmt"
	"strconv"

	"friendsweep/reports/journal/outcome"
	"friendsweep/reports/terminal"
)

// why says in whole sentences why the record's outcome is what it is. The outcome itself is that of the report.
func (s *Story) why() string {
	switch s.fate.Outcome {
	case outcome.Invalid:
		return "It can never be sent: " + s.Info + "."
	case outcome.Duplicate:
		return s.whyDuplicate()
	case outcome.Refused:
		return s.whyRefused()
	case outcome.GaveUp:
		return fmt.Sprintf("Its last permitted attempt ended with a temporary error (%s), so run %d gave it up%s.", s.lastWord(), s.lastEvent().Run, s.again())
	case outcome.Unknown:
		return s.whyUnknown()
	case outcome.NotSent:
		return s.whyNotSent()
	}
	return s.whyAnswered()
}

// whyAnswered is for what the API said about the friendship.
func (s *Story) whyAnswered() string {
	e := s.last(func(e *Event) bool { return e.Outcome == s.Outcome || e.Presumed })
	if s.Presumed {
		lost := s.last(func(e *Event) bool { return e.Lost })
		return fmt.Sprintf("The answer to request %d was lost, so it may have been carried out; then the API's answer to request %d had code %d: %s.",
			lost.Request, e.Request, s.fate.Code.Number, s.Info)
	}
	text := fmt.Sprintf("The API's answer to request %d says so (%s).", e.Request, s.lastWord())
	if flag := s.call.Answers[s.fate.Outcome-outcome.Answered].CountedBy; flag != "" && s.good.Has(s.fate.Outcome) {
		text += " It counts as success by " + flag + "."
	}
	return text
}

// whyDuplicate says with the report's own words what it repeats.
func (s *Story) whyDuplicate() string {
	so := ""
	if s.running() && !s.fate.First.IsAnswer() {
		so = " so far"
	}
	return fmt.Sprintf("It is the %s, so it has that row's result: %s%s.", s.Info, s.call.Word(s.fate.First), so)
}

func (s *Story) whyRefused() string {
	e := s.lastEvent()
	if e.Kind == Decided {
		return fmt.Sprintf("It was refused without a request of its own (%s).%s", s.lastWord(), s.retried())
	}
	return fmt.Sprintf("The API said no for good in its answer to request %d (%s).%s", e.Request, s.lastWord(), s.retried())
}

func (s *Story) retried() string {
	if s.running() || !s.canRetry {
		return ""
	}
	return " Only --resume with --retry-failed sends it again."
}

func (s *Story) whyUnknown() string {
	e := s.last(func(e *Event) bool { return e.Kind == Awaited })
	if e.Kind == Awaited {
		return fmt.Sprintf("Request %d carries it now, and its answer has not come yet.", e.Request)
	}
	e = s.last(func(e *Event) bool { return e.Lost })
	text := fmt.Sprintf("The answer to request %d was lost, so it may have been carried out, and no answer since said what became of it", e.Request)
	if s.running() {
		return text + "; it is to be sent again."
	}
	return text + " before " + s.ending() + s.again() + "."
}

func (s *Story) whyNotSent() string {
	switch {
	case s.running() && s.Attempts == 0:
		return "Its turn has not come yet." + s.waits()
	case s.running():
		return fmt.Sprintf("%s (%s), and it is to be sent again.", s.requests(), s.lastWord())
	case s.Attempts == 0:
		return "Its turn never came before " + s.ending() + ", so it was certainly not carried out" + s.again() + "." + s.waits()
	}
	return fmt.Sprintf("%s (%s), and then %s%s.", s.requests(), s.lastWord(), s.ending(), s.again())
}

// requests says of all of them that they did nothing.
func (s *Story) requests() string {
	if s.Attempts == 1 {
		return "Its one request was certainly not carried out"
	}
	return "None of its " + terminal.Count(s.Attempts) + " requests was carried out"
}

// waits is about a mirror, whose turn comes after everything else.
func (s *Story) waits() string {
	if s.Repeats == nil || !s.Repeats.Mirror {
		return ""
	}
	return fmt.Sprintf(" It is the same friendship as line %d and waits for that one: only if that one does not settle it is this one sent, after everything else.", s.Repeats.Line)
}

// ending is how the last run ended, for the middle of a sentence.
func (s *Story) ending() string {
	switch {
	case s.State == "dead":
		return "the run died (killed, crashed, power lost or disk full)"
	case s.stopReason != "":
		return "the run stopped (" + s.stopReason + ")"
	}
	return "the run ended"
}

// again is what becomes of an open row, for the end of a sentence.
func (s *Story) again() string {
	if s.running() {
		return ""
	}
	return "; --resume sends it again"
}

// lastWord is the last answer's code and text.
func (s *Story) lastWord() string {
	text := s.Info
	if s.Code != nil {
		text = "code " + strconv.Itoa(*s.Code)
		if s.Info != "" {
			text += ": " + s.Info
		}
	}
	if text == "" {
		return "without a code"
	}
	return text
}

// lastEvent is what the journal said last about the record.
func (s *Story) lastEvent() Event {
	return s.last(func(e *Event) bool { return e.Kind != Withdrawn })
}

// last is the last event of a kind, without any content where there is none.
func (s *Story) last(is func(*Event) bool) Event {
	for i := len(s.Events) - 1; i >= 0; i-- {
		if is(&s.Events[i]) {
			return s.Events[i]
		}
	}
	return Event{}
}
