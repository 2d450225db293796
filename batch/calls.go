package batch

import (
	"friendsweep/batch/chat"
	"friendsweep/reports/journal"
)

// Calls are the calls of the API that this program makes, as journal and report know them.
var Calls = journal.Calls{vocabulary(chat.Delete(chat.Both)), vocabulary(chat.Check())}

// vocabulary is what journal and report must know of a call.
func vocabulary(c chat.Call) *journal.Call {
	v := &journal.Call{
		Name: c.Name, Loses: c.Loses, Meaning: c.Meaning, Advice: c.Advice, Texts: journal.Texts(c.Texts), OtherSide: c.OtherSide,
	}
	for _, o := range c.Outcomes {
		v.Answers = append(v.Answers, journal.Answer(o))
	}
	if p := c.Presumes; p.Code != 0 {
		v.Presumed = journal.Presumption{Code: p.Code, From: answer(p.From), To: answer(p.To), Info: p.Info}
	}
	return v
}

func answer(i int) journal.Outcome { return journal.Answered + journal.Outcome(i) }
