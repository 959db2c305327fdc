package story

import (
	"fmt"
	"slices"
	"strings"

	"generalbackend/internal/domain"
)

// Topic is what a question is about, chosen from what the timeline lacks.
type Topic struct {
	Kind    string // one of the Topic constants
	Subject string // which one, in the story's language; short and without marks
	Variant int    // for topics that come more than once
	Context string // what was told that bears on it
}

// The kinds of topic, the most telling first.
const (
	TopicBeginning = "beginning" // nothing was told yet
	TopicGap       = "gap"       // years without a memory
	TopicPerson    = "person"    // somebody who is named and never told about
	TopicFollowUp  = "follow_up" // what was told last
	TopicPhase     = "phase"     // an age without a memory
	TopicUndated   = "undated"   // a memory without a time
	TopicOpen      = "open"      // something everybody can tell of
)

// Topics lists what can be asked about and was not asked yet, what is to be
// asked first in front. Kinds take turns: the one asked least goes first, and
// open topics come when nothing else is left. It is never empty: when all is
// asked, open topics begin again.
func Topics(s domain.Story, memories []domain.Memory, t Timeline, asked []domain.Question) []Topic {
	counts, before := map[string]int{}, map[string]int{}
	for _, q := range asked {
		counts[q.Topic]++
		before[q.Topic+"\x00"+q.Subject]++
	}
	var left []Topic
	for _, topic := range candidates(s, memories, t, before) {
		if before[topic.Kind+"\x00"+topic.Subject] <= topic.Variant {
			left = append(left, topic)
		}
	}
	slices.SortStableFunc(left, func(a, b Topic) int { return counts[a.Kind] - counts[b.Kind] })
	return append(left, openTopics(s.Language, counts[TopicOpen])...)
}

func candidates(s domain.Story, memories []domain.Memory, t Timeline, before map[string]int) []Topic {
	var all []Topic
	if len(memories) == 0 {
		all = append(all, Topic{Kind: TopicBeginning})
	}
	all = append(all, gapTopics(t)...)
	all = append(all, personTopics(memories)...)
	all = append(all, followUp(memories, before)...)
	for _, p := range t.Phases {
		if len(p.Memories) == 0 {
			all = append(all, Topic{Kind: TopicPhase, Subject: p.Title})
		}
	}
	for _, m := range t.Undated {
		if m.Period.Label == "" {
			all = append(all, Topic{Kind: TopicUndated, Subject: subject(m.Title), Context: excerpt(m.Text)})
		}
	}
	return all
}

// gapTopics are the gaps, the longest first.
func gapTopics(t Timeline) []Topic {
	gaps := slices.Clone(t.Gaps)
	slices.SortStableFunc(gaps, func(a, b Gap) int { return (b.To - b.From) - (a.To - a.From) })
	var all []Topic
	for _, g := range gaps {
		topic := Topic{Kind: TopicGap, Subject: fmt.Sprintf("%d–%d", g.From, g.To)}
		for _, m := range []*domain.Memory{g.After, g.Before} {
			if m != nil {
				topic.Context += m.Title + ": " + excerpt(m.Text) + "\n"
			}
		}
		all = append(all, topic)
	}
	return all
}

// personTopics are people who are in memories but in no title, those of most
// memories first.
func personTopics(memories []domain.Memory) []Topic {
	type person struct {
		Topic
		memories int
	}
	people := map[string]*person{}
	var order []*person
	for _, m := range memories {
		for _, n := range m.Names {
			if n.Kind != domain.NamePerson || titled(memories, n.Name) {
				continue
			}
			p := people[n.ID.String()]
			if p == nil {
				p = &person{Topic: Topic{Kind: TopicPerson, Subject: subject(n.Name), Context: n.Name + " (" + n.Relation + "): " + excerpt(m.Text)}}
				people[n.ID.String()] = p
				order = append(order, p)
			}
			p.memories++
		}
	}
	slices.SortStableFunc(order, func(a, b *person) int { return b.memories - a.memories })
	var all []Topic
	for _, p := range order {
		all = append(all, p.Topic)
	}
	return all
}

func titled(memories []domain.Memory, name string) bool {
	return slices.ContainsFunc(memories, func(m domain.Memory) bool {
		return strings.Contains(strings.ToLower(m.Title), strings.ToLower(name))
	})
}

// followUp is what was told last, in as many ways as there are.
func followUp(memories []domain.Memory, before map[string]int) []Topic {
	if len(memories) == 0 {
		return nil
	}
	last := slices.MaxFunc(memories, func(a, b domain.Memory) int { return slices.Compare(a.ID[:], b.ID[:]) })
	topic := Topic{Kind: TopicFollowUp, Subject: subject(last.Title), Context: excerpt(last.Text)}
	topic.Variant = before[TopicFollowUp+"\x00"+topic.Subject]
	if topic.Variant >= len(templates["en"][TopicFollowUp]) {
		return nil
	}
	return []Topic{topic}
}

func openTopics(language string, asked int) []Topic {
	texts := templates[wording(language)][TopicOpen]
	var all []Topic
	for i := range texts {
		n := (asked + i) % len(texts)
		all = append(all, Topic{Kind: TopicOpen, Subject: fmt.Sprint(n + 1), Variant: n})
	}
	return all
}

// subject is a title as it can stand inside a question.
func subject(title string) string {
	title = strings.Map(func(r rune) rune {
		switch r {
		case '?', '？', '"', '„', '“', '”', '<', '>':
			return -1
		}
		return r
	}, title)
	return clip(strings.Join(strings.Fields(title), " "), 80)
}

func excerpt(text string) string { return clip(text, 1200) }

func clip(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return strings.TrimSpace(string(runes[:most])) + "…"
	}
	return s
}
