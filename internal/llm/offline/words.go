package offline

import (
	"strings"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/german"
)

// stems returns the word's English and German stem. Both, because a short query
// does not tell its language.
func stems(word string) []string {
	en, de := stem(word, english.Stem), stem(word, german.Stem)
	if en == de {
		return []string{en}
	}
	return []string{en, de}
}

func stem(word string, f func(*snowballstem.Env) bool) string {
	env := snowballstem.NewEnv(word)
	f(env)
	return env.Current()
}

// grams returns the runs of short to long runes within word.
func grams(word string, short, long int) []string {
	runes := []rune(word)
	var out []string
	for n := short; n <= long; n++ {
		for i := 0; i+n <= len(runes); i++ {
			out = append(out, string(runes[i:i+n]))
		}
	}
	if len(out) == 0 {
		out = append(out, word)
	}
	return out
}

// stopWords are words of English and German that say nothing of the subject.
var stopWords = set(`
a about above after again against all also am an and any are as at be because
been before being below between both but by can could did do does doing down
during each few for from further had has have having he her here hers him his
how i if in into is it its itself just me more most my no nor not of off on once
only or other our ours out over own same she should so some such than that the
their theirs them then there these they this those through to too under until
up upon us very was we were what when where which while who whom whose why will
with would you your yours
aber alle allem allen aller alles als also am an ander andere anderem anderen
anderer anderes auch auf aus bei beim bin bis bist da dabei dadurch dafür
dagegen daher dahin damit danach daran darauf daraus darf darin darüber das
dass dasselbe davon davor dazu dein deine deinem deinen deiner dem den denen
denn der deren derer des deshalb dessen die dies diese diesem diesen dieser
dieses doch dort du durch ein eine einem einen einer eines einige einigem
einigen einiger einiges er es etwas euch euer eure für gegen hab habe haben hat
hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres
im indem ins ist jede jedem jeden jeder jedes jene jenem jenen jener jenes jetzt
kann kein keine keinem keinen keiner keines können könnte man manche manchem
manchen mancher manches mein meine meinem meinen meiner mit muss musste nach
nachdem nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen
seiner seit selbst sich sie sind so solche solchem solchen solcher soll sollte
sondern sonst sowie über um und uns unser unsere unter viel vom von vor während
war waren warum was weg weil welche welchem welchen welcher welches wenn wer
werde werden wie wieder will wir wird wo wobei wodurch wurde wurden würde würden
zu zum zur zwar zwischen`)

func set(words string) map[string]bool {
	out := make(map[string]bool)
	for _, word := range strings.Fields(words) {
		out[word] = true
	}
	return out
}
