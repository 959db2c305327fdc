package matching_test

import (
	"slices"
	"strings"
	"testing"

	"generalbackend/internal/domain"
)

// TestLanguagesAreClaimed where documents speak of languages, each of those that
// are asked for; where a person comes from is no evidence.
func TestLanguagesAreClaimed(t *testing.T) {
	t.Parallel()
	const (
		german  = "Staatsangehörigkeit: deutsch\n2010 - 2014 Deutsche Bank AG in Deutschland\n"
		both    = "Fließende Deutschkenntnisse (C1) und gute Englischkenntnisse"
		either  = "Fluent German or English"
		details = "Sprachen\nDeutsch\nEnglisch\n"
	)
	for name, tt := range map[string]struct {
		asked, cv string
		want      domain.Level
		quotes    []string
	}{
		"origin alone":       {"Sehr gute Deutschkenntnisse", "Name of the firm: Mill Lane\nAn English text about bread and the people who bake it.\n" + german, domain.LevelMissing, nil},
		"one line":           {both, german + "Deutsch (Muttersprache), Englisch (C1)\n", domain.LevelFull, []string{"Deutsch (Muttersprache), Englisch (C1)"}},
		"below a heading":    {both, german + details, domain.LevelFull, []string{"Deutsch", "Englisch"}},
		"one of two":         {"Fließendes Deutsch und Französisch", "Cook\nSprachen\nDeutsch (C2)\n", domain.LevelPartial, []string{"Deutsch (C2)"}},
		"one too little":     {both, "Deutsch (C2), Englisch (Grundkenntnisse)\n", domain.LevelPartial, []string{"Deutsch (C2), Englisch (Grundkenntnisse)"}},
		"one is enough":      {either, "Languages: English (native)\n", domain.LevelFull, []string{"Languages: English (native)"}},
		"level in front":     {"Fluent English", "Fluent in German and basic English\n", domain.LevelPartial, nil},
		"fluent in front":    {"Fluent German", "Fluent in German and basic English\n", domain.LevelFull, nil},
		"said at work":       {"Fluent German", "Clerk\nAnswered letters in German every day.\n", domain.LevelFull, []string{"Answered letters in German every day."}},
		"basic where little": {"Basic English language skills", "Deutsch (C2), Englisch (A2)\n", domain.LevelFull, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, verdicts := judgeWithRules(t, "Clerk\n\nRequirements\n- "+tt.asked+"\n", "en", tt.cv)
			v := find(t, p, verdicts, tt.asked)
			var quotes []string
			for _, e := range v.Evidence {
				quotes = append(quotes, e.Quote)
			}
			if v.Level != tt.want || tt.quotes != nil && !slices.Equal(quotes, tt.quotes) {
				t.Errorf("%s by %q, want %s by %q", v.Level, quotes, tt.want, tt.quotes)
			}
			if strings.Contains(v.Reason, "(?i)") {
				t.Errorf("the reason shows a pattern: %s", v.Reason)
			}
		})
	}
}

// TestYearsAskedFor are read whatever stands before the number.
func TestYearsAskedFor(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{
		"At least 5 years of experience in a bakery", "Up to 5 years of experience in a bakery", "Minimum of five (5) years' experience in a bakery",
		"5 to 8 years of experience in a bakery", "Five to eight years of experience in a bakery", "Mindestens 5 Jahre Erfahrung in einer Bäckerei (bakery)",
	} {
		p, verdicts := judgeWithRules(t, "Baker\n\nRequirements\n- "+asked+"\n", "en", "Baker\n2019 - 2020 Mill Lane Bakery\nBaked bread in the bakery.\n")
		if v := find(t, p, verdicts, asked); v.Level == domain.LevelFull || !strings.Contains(v.Reason, "of 5 years") {
			t.Errorf("%q for one year is %s: %s", asked, v.Level, v.Reason)
		}
	}
}

// TestStudiesAreNoWork: years at a university count for the degree alone, and
// are written as the language of the reply does.
func TestStudiesAreNoWork(t *testing.T) {
	t.Parallel()
	p, verdicts := judgeWithRules(t, "Softwareentwickler\n\nIhr Profil\n- Mindestens 5 Jahre Berufserfahrung in der Softwareentwicklung\n", "de",
		"Softwareentwickler\n01/2012 - 06/2014 Softwareentwickler, Mill Lane GmbH\nEntwicklung von Diensten in Go\n10/2005 - 08/2010 Diplom-Informatiker, Universität Bonn\n")
	if v := find(t, p, verdicts, "5 Jahre"); !strings.Contains(v.Reason, "2,5 von 5 geforderten") || v.Level == domain.LevelFull {
		t.Errorf("%s: %s", v.Level, v.Reason)
	}
}

// TestQuotesAreNotHeadings, nor do they begin with the mark of a list.
func TestQuotesAreNotHeadings(t *testing.T) {
	t.Parallel()
	p, verdicts := judgeWithRules(t, "Baker\n\nRequirements\n- Bakery skills with sourdough\n- Experience with ovens\n", "en",
		"Baker\nSkills\n- Sourdough and rolls\nExperience\n2012 - 2020 Mill Lane Bakery\n• Cleaned the ovens every day\n")
	for i, v := range verdicts {
		for _, e := range v.Evidence {
			if e.Quote == "Skills" || e.Quote == "Experience" || strings.ContainsAny(e.Quote[:1], "-•") || strings.HasPrefix(e.Quote, "•") {
				t.Errorf("%q is quoted for %q", e.Quote, p.Requirements[i].Text)
			}
		}
	}
	v := find(t, p, verdicts, "sourdough")
	if !slices.ContainsFunc(v.Evidence, func(e domain.Evidence) bool { return e.Quote == "Sourdough and rolls" }) {
		t.Errorf("evidence %+v", v.Evidence)
	}
}
