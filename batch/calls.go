package batch

import (
	"friendsweep/batch/chat"
	"friendsweep/reports/journal/entry"
	"friendsweep/reports/journal/outcome"
)

// made are the calls of the API that this program makes, for a delete type.
var made = []func(chat.DeleteType) chat.Call{chat.Delete, func(chat.DeleteType) chat.Call { return chat.Check() }}

// Calls are the same as journal and report know them.
var Calls = func() (all outcome.Calls) {
	for _, of := range made {
		all = append(all, vocabulary(of(chat.Both)))
	}
	return all
}()

// callOf is the call that a job is about.
func callOf(job entry.Job) (c chat.Call) {
	for _, of := range made {
		if c = of(chat.DeleteType(job.DeleteType)); c.Name == job.Call {
			break
		}
	}
	return c
}

// vocabulary is what journal and report must know of a call.
func vocabulary(c chat.Call) *outcome.Call {
	v := &outcome.Call{
		Name: c.Name, Loses: c.Loses, Meaning: c.Meaning, Advice: c.Advice, Texts: outcome.Texts(c.Texts), OtherSide: c.OtherSide,
	}
	for _, o := range c.Outcomes {
		v.Answers = append(v.Answers, outcome.Answer(o))
	}
	if p := c.Presumes; p.Code != 0 {
		v.Presumed = outcome.Presumption{Code: p.Code, From: answer(p.From), To: answer(p.To), Info: p.Info}
	}
	return v
}

func answer(i int) outcome.Outcome { return outcome.Answered + outcome.Outcome(i) }
