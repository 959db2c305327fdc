package story

import (
	"fmt"
	"strings"
)

// templates are questions that need no model. %s is the topic's subject.
var templates = map[string]map[string][]string{
	"de": {
		TopicBeginning: {"Womit beginnt diese Geschichte: Was ist die früheste Erinnerung?"},
		TopicGap:       {"Was geschah in den Jahren %s?"},
		TopicPerson:    {"Welche Geschichte gehört unbedingt zu %s?"},
		TopicFollowUp:  {"Wie ging es nach „%s“ weiter?", "Wer war bei „%s“ noch dabei?", "Was war bei „%s“ zu sehen, zu hören oder zu riechen?"},
		TopicPhase:     {"Welches Erlebnis steht für die Zeit „%s“?"},
		TopicUndated:   {"In welche Zeit gehört „%s“?"},
		TopicOpen: {
			"Wie sah das Haus aus, in dem alles begann?", "Was gab es sonntags zu essen, und wer saß mit am Tisch?",
			"Welche Lehrerin oder welcher Lehrer ist unvergessen, und warum?", "Womit wurde als Kind am liebsten gespielt?",
			"Wie wurde Weihnachten oder ein anderes großes Fest gefeiert?", "Wovon handelte der erste große Traum für das Leben?",
			"Wie war der erste Arbeitstag?", "Wie begann die große Liebe?", "Welche Reise ist in Erinnerung geblieben?",
			"Welcher Abschied fiel besonders schwer?", "Worüber wurde in der Familie immer wieder gelacht?", "Welche Musik gehört zu diesem Leben?",
			"Was war die mutigste Entscheidung?", "Welcher Rat hat wirklich geholfen?", "Was hat sich seit der Kindheit am meisten verändert?",
			"Was sollen die Enkel einmal wissen?",
		},
	},
	"en": {
		TopicBeginning: {"Where does this story begin: what is the earliest memory?"},
		TopicGap:       {"What happened in the years %s?"},
		TopicPerson:    {"Which story has to be told about %s?"},
		TopicFollowUp:  {"What happened after “%s”?", "Who else was there at “%s”?", "What was there to see, to hear or to smell at “%s”?"},
		TopicPhase:     {"Which event stands for the time “%s”?"},
		TopicUndated:   {"When did “%s” happen?"},
		TopicOpen: {
			"What did the house look like where it all began?", "What was eaten on Sundays, and who sat at the table?",
			"Which teacher is unforgotten, and why?", "What was the favourite game in childhood?",
			"How was Christmas or another great feast celebrated?", "What was the first great dream for this life?",
			"What was the first day at work like?", "How did the great love begin?", "Which journey is still remembered?",
			"Which farewell was the hardest?", "What did the family laugh about again and again?", "Which music belongs to this life?",
			"What was the bravest decision?", "Which advice really helped?", "What has changed most since childhood?",
			"What should the grandchildren know one day?",
		},
	},
}

var reasons = map[string]map[string]string{
	"de": {
		TopicBeginning: "Es wurde noch nichts erzählt.", TopicGap: "Über %s wurde noch nichts erzählt.",
		TopicPerson: "%s wird genannt, aber es gibt noch keine eigene Geschichte.", TopicFollowUp: "„%s“ wurde zuletzt erzählt.",
		TopicPhase: "Zu „%s“ gibt es noch keine Erinnerung.", TopicUndated: "„%s“ hat noch keine Zeit.", TopicOpen: "Davon kann jeder erzählen.",
	},
	"en": {
		TopicBeginning: "Nothing has been told yet.", TopicGap: "Nothing has been told about %s yet.",
		TopicPerson: "%s is mentioned, but there is no story of their own yet.", TopicFollowUp: "“%s” was told last.",
		TopicPhase: "There is no memory of “%s” yet.", TopicUndated: "“%s” has no time yet.", TopicOpen: "Everybody can tell of it.",
	},
}

// Template is the question of a topic in German or English.
func (t Topic) Template(language string) string {
	texts := templates[wording(language)][t.Kind]
	return fill(texts[t.Variant%len(texts)], t.Subject)
}

// Reason says in German or English why a topic is asked about.
func (t Topic) Reason(language string) string {
	return fill(reasons[wording(language)][t.Kind], t.Subject)
}

func fill(template, subject string) string {
	if !strings.Contains(template, "%s") {
		return template
	}
	return fmt.Sprintf(template, subject)
}
