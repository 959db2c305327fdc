package offline

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Weights of the features, chosen on public retrieval collections in English
// and German: parts of words carry German compounds and inflection.
const (
	shortGram  = 4
	longGram   = 5
	gramWeight = 2.0 // of all parts of a word together
	copies     = 2   // places of a feature in the vector: halves the harm of a collision
)

// Kinds of feature, so that a stem never meets an equal word part.
const (
	kindStem = 's'
	kindGram = 'g'
	kindBare = 'b'
)

// vector hashes text to a unit vector and counts its words.
func vector(text string) ([]float32, int) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r)
	})
	b := bag{places: make(map[uint64]int)}
	for _, word := range words {
		if !stopWords[word] {
			b.addWord(word)
		}
	}
	if len(b.features) == 0 {
		b.addBare(words)
	}
	return b.unit(), len(words)
}

// bag collects the features of one text in the order of their first mention,
// so that the sums, and with them the vector, are the same to the last bit.
type bag struct {
	places   map[uint64]int
	features []feature
}

type feature struct {
	hash   uint64
	weight float64
	count  int
}

func (b *bag) add(kind byte, text string, weight float64) {
	h := hash(kind, text)
	place, known := b.places[h]
	if !known {
		place = len(b.features)
		b.places[h] = place
		b.features = append(b.features, feature{hash: h, weight: weight})
	}
	b.features[place].count++
}

// addWord adds a word's stems and parts. Longer words are rarer and weigh more:
// the nearest thing to inverse document frequency that needs no corpus.
func (b *bag) addWord(word string) {
	length := utf8.RuneCountInString(word)
	weight := min(1.5, 0.5+0.1*float64(length))
	for _, stem := range stems(word) {
		b.add(kindStem, stem, weight)
	}
	grams := grams("<"+word+">", shortGram, longGram)
	for _, gram := range grams {
		b.add(kindGram, gram, gramWeight*weight/math.Sqrt(float64(len(grams))))
	}
}

// addBare keeps a text of nothing but stop words or symbols comparable: every
// text has a direction.
func (b *bag) addBare(words []string) {
	for _, word := range words {
		b.add(kindBare, word, 1)
	}
	if len(b.features) == 0 {
		b.add(kindBare, "", 1)
	}
}

// unit folds the features into a vector of length 1; repetition counts less and
// less.
func (b *bag) unit() []float32 {
	var sums [Dims]float64
	for _, f := range b.features {
		h, w := f.hash, f.weight*(1+math.Log(float64(f.count)))
		for range copies {
			h = mix(h)
			if h>>63 == 1 {
				sums[h%Dims] -= w
			} else {
				sums[h%Dims] += w
			}
		}
	}
	var square float64
	for _, s := range sums {
		square += s * s
	}
	return scale(sums[:], 1/math.Sqrt(square))
}

func scale(sums []float64, by float64) []float32 {
	out := make([]float32, len(sums))
	for i, s := range sums {
		out[i] = float32(s * by)
	}
	return out
}

// hash is FNV-1a.
func hash(kind byte, text string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	h := (uint64(offset) ^ uint64(kind)) * prime
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	return h
}

// mix spreads a hash over all bits (the finaliser of MurmurHash3).
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
