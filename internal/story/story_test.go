package story_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"generalbackend/internal/domain"
	"generalbackend/internal/story"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func period(t testing.TB, earliest, latest string) domain.Period {
	t.Helper()
	p, err := domain.NewPeriod("", earliest, latest, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func memory(title string, p domain.Period) domain.Memory {
	return domain.Memory{ID: uuid.Must(uuid.NewV7()), Title: title, Text: title, Period: p}
}

// anyPeriod is one of any precision between 1900 and 2025.
func anyPeriod(t *rapid.T) domain.Period {
	from := time.Date(1900, 1, 1+rapid.IntRange(0, 45_000).Draw(t, "from"), 0, 0, 0, 0, time.UTC)
	precision := rapid.SampledFrom([]domain.Precision{"day", "month", "year", "decade", "range", "circa", "unknown"}).Draw(t, "precision")
	latest := ""
	if precision == "range" {
		latest = from.AddDate(0, 0, rapid.IntRange(0, 4000).Draw(t, "length")).Format(time.DateOnly)
	}
	earliest := from.Format(time.DateOnly)
	if precision == "unknown" {
		earliest = ""
	}
	p, err := domain.NewPeriod(precision, earliest, latest, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTimelinesHoldEveryMemoryOnce, in order, each in a phase that overlaps it,
// and no memory lies within a gap.
func TestTimelinesHoldEveryMemoryOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := domain.Story{Language: rapid.SampledFrom([]string{"de", "en", "fr"}).Draw(t, "language")}
		if rapid.Bool().Draw(t, "born known") {
			born := time.Date(rapid.IntRange(1880, 2000).Draw(t, "born"), 3, 14, 0, 0, 0, 0, time.UTC)
			s.BornOn = &born
		}
		var memories []domain.Memory
		for range rapid.IntRange(0, 12).Draw(t, "memories") {
			memories = append(memories, memory("m", anyPeriod(t)))
		}
		line := story.NewTimeline(s, memories, now)
		var all []uuid.UUID
		var last *domain.Memory
		var from time.Time
		for _, p := range line.Phases {
			if p.From.Before(from) {
				t.Fatalf("phase %s before the one before", p.Key)
			}
			from = p.From
			for i, m := range p.Memories {
				all = append(all, m.ID)
				if i > 0 && last.Period.Compare(m.Period) > 0 {
					t.Fatalf("%v after %v", m.Period, last.Period)
				}
				last = &p.Memories[i]
				if m.Period.Latest.Before(p.From) || !p.To.IsZero() && m.Period.Earliest.After(p.To) && p.Key != "old" {
					t.Fatalf("%+v in %+v", m.Period, p.Phase)
				}
			}
		}
		for _, m := range line.Undated {
			all = append(all, m.ID)
			if m.Period.Known() {
				t.Fatalf("%v is dated", m.Period)
			}
		}
		if slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }); len(slices.Compact(all)) != len(memories) {
			t.Fatalf("%d of %d memories", len(all), len(memories))
		}
		for _, g := range line.Gaps {
			if g.To-g.From < 2 {
				t.Fatalf("a gap of %d to %d", g.From, g.To)
			}
			for _, m := range memories {
				if m.Period.Known() && m.Period.Earliest.Year() <= g.To && m.Period.Latest.Year() >= g.From {
					t.Fatalf("%v lies in the gap %d to %d", m.Period, g.From, g.To)
				}
			}
		}
	})
}

func TestWordsForTimes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ precision, earliest, latest, label, de, en string }{
		{"day", "1944-09-01", "", "", "1. September 1944", "1 September 1944"},
		{"month", "1944-03", "", "", "März 1944", "March 1944"},
		{"year", "1944", "", "", "1944", "1944"},
		{"decade", "1944", "", "", "1940er Jahre", "the 1940s"},
		{"range", "1944", "1946", "", "1944–1946", "1944–1946"},
		{"range", "1944-03", "1944-05", "", "März 1944 – Mai 1944", "March 1944 – May 1944"},
		{"range", "1944-03-02", "1944-03-05", "", "2. März 1944 – 5. März 1944", "2 March 1944 – 5 March 1944"},
		{"circa", "1944", "", "", "um 1944", "about 1944"},
		{"circa", "1944-06", "", "", "um Juni 1944", "about June 1944"},
		{"circa", "1944-06-15", "", "", "um 15. Juni 1944", "about 15 June 1944"},
		{"unknown", "", "", "", "ohne Datum", "undated"},
		{"unknown", "", "", "nach der Ernte", "nach der Ernte", "nach der Ernte"},
	} {
		p, err := domain.NewPeriod(domain.Precision(tt.precision), tt.earliest, tt.latest, tt.label)
		if err != nil {
			t.Fatal(err)
		}
		if de, en := story.When(p, "de"), story.When(p, "en"); de != tt.de || en != tt.en {
			t.Errorf("%s %s: %q and %q, want %q and %q", tt.precision, tt.earliest, de, en, tt.de, tt.en)
		}
	}
}

func TestTimesAreFoundInTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Das war am 12.8.1961 in Berlin.":            "day 1961-08-12 1961-08-12 12.8.1961",
		"am 3. März 1950, einem Freitag":             "day 1950-03-03 1950-03-03 3. März 1950",
		"On March 3rd, 1950 we moved":                "day 1950-03-03 1950-03-03 March 3rd, 1950",
		"im August 1961, ich war 1938 geboren":       "month 1961-08-01 1961-08-31 August 1961",
		"von 1950 bis 1955 in der Lehre":             "range 1950-01-01 1955-12-31 von 1950 bis 1955",
		"1950–1955":                                  "range 1950-01-01 1955-12-31 1950–1955",
		"im Sommer 1961":                             "range 1961-06-01 1961-08-31 Sommer 1961",
		"the winter of 1962":                         "range 1962-12-01 1963-02-28 winter of 1962",
		"in den 60er Jahren":                         "decade 1960-01-01 1969-12-31 60er Jahren",
		"in den sechziger Jahren":                    "decade 1960-01-01 1969-12-31 sechziger",
		"back in the sixties":                        "decade 1960-01-01 1969-12-31 sixties",
		"in the 1950s":                               "decade 1950-01-01 1959-12-31 1950s",
		"das muss um 1950 gewesen sein":              "circa 1948-01-01 1952-12-31 um 1950",
		"1961 zogen wir um":                          "year 1961-01-01 1961-12-31 1961",
		"Der 31.2.1961 ist kein Tag, wohl aber 1962": "year 1961-01-01 1961-12-31 1961",
		"Wir hatten 3 Ziegen und 12345 Sorgen.":      "",
	} {
		p, quote, ok := story.FindPeriod(text)
		got := ""
		if ok {
			got = strings.Join([]string{string(p.Precision), p.Earliest.Format(time.DateOnly), p.Latest.Format(time.DateOnly), quote}, " ")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

const told = "ich bin mit Anna und Karls bruder am 12.8.1961 von Königsberg nach Dresden gefahren, wir waren einundzwanzig leute und hatten drei Koffer. es war Sommer, die Mutter weinte am Bahnhof."

func TestUnfaithful(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ original, refined, language, want string }{
		"mended":                   {told, "Ich bin mit Anna und Karls Bruder am 12. August 1961 von Königsberg nach Dresden gefahren. Wir waren 21 Leute und hatten drei Koffer. Es war Sommer. Die Mutter weinte am Bahnhof.", "de", ""},
		"inflected":                {told, "Mit Anna und dem Bruder von Karl fuhr ich. Annas Koffer waren drei. Die Mutter weinte im Sommer 1961 auf dem Bahnhof von Dresden, wir waren einundzwanzig.", "de", ""},
		"common nouns":             {told, "Auf der Reise weinte die Mutter, und die Erinnerung an den Abschied blieb.", "de", ""},
		"another name":             {told, "Ich bin mit Anna und Peter gefahren.", "de", "Peter"},
		"a name changed":           {told, "Ich bin mit Annika gefahren.", "de", "Annika"},
		"a name in front":          {told, "Friedrich fuhr mit.", "de", "Friedrich"},
		"a place":                  {told, "Wir fuhren von Königsberg über Warschau nach Dresden.", "de", "Warschau"},
		"another year":             {told, "Am 12. August 1962 fuhren wir.", "de", "1962"},
		"another month":            {told, "Am 12. Juli 1961 fuhren wir.", "de", "Juli"},
		"a number":                 {told, "Wir hatten vier Koffer.", "de", "vier"},
		"a number in digits":       {told, "Wir waren 22 Leute.", "de", "22"},
		"a weekday":                {told, "An einem Freitag fuhren wir.", "de", "Freitag"},
		"a season":                 {told, "Es war Winter.", "de", "Winter"},
		"english":                  {"me and tom went to lake erie in june 1955 with two dogs, mother's dogs", "Tom and I went to Lake Erie in June 1955 with Mother's two dogs. We went together.", "en", ""},
		"english, a name":          {"me and tom went to lake erie", "Tom and I went to Lake Erie with Betty.", "en", "Betty"},
		"english, a name in front": {"me and tom went to lake erie", "Betty went with us.", "en", "Betty"},
		"english, a place":         {"me and tom went to the lake", "Tom and I went to the lake in Ohio.", "en", "Ohio"},
		"english, modal verbs":     {"me and tom went", "Tom and I may have gone. May I say so? We would march.", "en", ""},
		"english, numbers":         {"we had twenty-one cows in 1955", "We had 21 cows in 1955.", "en", ""},
		"english, a thousand":      {"we had 1,200 sheep", "We had 1200 sheep.", "en", ""},
	} {
		if got := strings.Join(story.Unfaithful(tt.original, tt.refined, tt.language, false), ", "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestATextIsFaithfulToItself, whatever it says, tidied up or not.
func TestATextIsFaithfulToItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom(strings.Fields(told+" ähm , , twenty-one 1.200 neunzehnhundertvierundvierzig"))), 1, 30).Draw(t, "words")
		text := strings.Join(words, " ")
		language := rapid.SampledFrom([]string{"de", "en", "ru"}).Draw(t, "language")
		if faults := story.Unfaithful(text, text, language, false); len(faults) > 0 {
			t.Fatalf("%q does not say %q", text, faults)
		}
	})
}

func TestTidy(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"äh ich war  im wald ,, und dann kam Anna . sie lachte": "Ich war im wald, und dann kam Anna. Sie lachte.",
		"am 12. August bei Dr. Mai, ca. drei Uhr":               "Am 12. August bei Dr. Mai, ca. drei Uhr.",
		"um, it was cold!! we ran":                              "It was cold! We ran.",
		"eins\n\nzwei":                                          "Eins.\nZwei.",
		"":                                                      "",
		"um":                                                    "um",
		"„so“ sagte er":                                         "„So“ sagte er.",
	} {
		if got := story.Tidy(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
		if again := story.Tidy(want); again != want && want != "um" {
			t.Errorf("%q is tidied to %q", want, again)
		}
	}
}

func TestQuestionFaults(t *testing.T) {
	t.Parallel()
	asked := []domain.Question{{Text: "Was geschah in den Jahren 1951–1955 in Ulm?"}}
	for text, want := range map[string]string{
		"Wie war die Zeit nach der Schule?":                "",
		"Wie war das? Und dann?":                           "not one question",
		"Erzähl mir davon.":                                "not one question",
		"Wie war das? Danke fürs Erzählen.":                "not one question",
		"Was geschah in den Jahren 1951–1955 in Ulm?":      "asked before",
		"Und was geschah in den Jahren 1951-1955, in Ulm?": "asked before",
		"What did you do when the war was over?":           "language",
		"Was?":                                             "length", "": "length",
		"Wie war\nes?":                        "form",
		strings.Repeat("sehr ", 80) + "lang?": "length",
	} {
		if got := story.QuestionFault(text, "de", asked); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestTopicsTakeTurns: what is asked next is never what was asked, every
// template is one good question, and there is always one more.
func TestTopicsTakeTurns(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"de", "en"} {
		born := time.Date(1938, 5, 17, 0, 0, 0, 0, time.UTC)
		s := domain.Story{Language: language, BornOn: &born}
		school := memory(`Die "Schule"?`, period(t, "1944-09", ""))
		school.Names = []domain.Name{{ID: uuid.New(), Kind: domain.NamePerson, Name: "Rosa"}}
		for name, memories := range map[string][]domain.Memory{
			"nothing told": nil,
			"some told":    {school, memory("Ein Sommer", domain.Period{Precision: domain.PrecisionUnknown}), memory("Hochzeit", period(t, "1961", ""))},
		} {
			var asked []domain.Question
			kinds := map[string]int{}
			for range 25 {
				topic := story.Topics(s, memories, story.NewTimeline(s, memories, now), asked)[0]
				text := topic.Template(language)
				if fault := story.QuestionFault(text, language, asked); fault != "" {
					t.Errorf("%s, %s: %q: %s, after %d", language, name, text, fault, len(asked))
				}
				if !strings.HasSuffix(topic.Reason(language), ".") || strings.Contains(topic.Reason(language), "%!") {
					t.Errorf("reason %q", topic.Reason(language))
				}
				kinds[topic.Kind]++
				asked = append([]domain.Question{{Text: text, Topic: topic.Kind, Subject: topic.Subject}}, asked...)
				if len(asked) == 16 && memories == nil {
					break
				}
			}
			want := []string{"beginning", "phase", "open"}
			if memories != nil {
				want = []string{"gap", "person", "follow_up", "phase", "undated", "open"}
			}
			for _, kind := range want {
				if kinds[kind] == 0 {
					t.Errorf("%s, %s: never asked about %s: %v", language, name, kind, kinds)
				}
			}
		}
	}
}
