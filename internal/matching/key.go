package matching

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
)

// Settings are what a result depends on besides the documents.
type Settings struct {
	Judge       domain.Judge
	Provider    string
	Model       string
	Version     string // of prompts or rules
	Language    string
	Masked      bool
	Stability   int
	Temperature float64
}

// CacheKey names a candidate's result by everything it depends on: two matches
// with the same key have the same result.
func CacheKey(s Settings, posting, applicant []*Source) string {
	h := sha256.New()
	field := func(text string) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(text)))
		h.Write(size[:])
		h.Write([]byte(text))
	}
	options := []string{strconv.FormatBool(s.Masked), strconv.Itoa(s.Stability), strconv.FormatFloat(s.Temperature, 'g', -1, 64)}
	for _, f := range append([]string{string(s.Judge), s.Provider, s.Model, s.Version, s.Language}, options...) {
		field(f)
	}
	for _, sources := range [][]*Source{posting, applicant} {
		field("documents")
		for _, src := range sources {
			field(src.Text())
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// rebind points a cached result at the documents it is used for: the same
// texts, but perhaps uploaded again under other ids and names.
func rebind(c domain.Candidate, sources []*Source) domain.Candidate {
	now := map[uuid.UUID]*Source{}
	for i, id := range c.Documents {
		if i < len(sources) {
			now[id] = sources[i]
		}
	}
	verdicts := make([]domain.Verdict, len(c.Verdicts))
	for i, v := range c.Verdicts {
		evidence := make([]domain.Evidence, len(v.Evidence))
		for k, e := range v.Evidence {
			if s := now[e.DocumentID]; s != nil {
				e.DocumentID, e.Filename, e.Page = s.ID, s.Filename, s.Page(e.CharFrom)
			}
			evidence[k] = e
		}
		v.Evidence = evidence
		verdicts[i] = v
	}
	c.Verdicts, c.Documents, c.Name = verdicts, ids(sources), nameAll(sources)
	return c
}

func ids(sources []*Source) []uuid.UUID {
	out := make([]uuid.UUID, len(sources))
	for i, s := range sources {
		out[i] = s.ID
	}
	return out
}

func nameAll(sources []*Source) string {
	name := ""
	for i, s := range sources {
		if i > 0 {
			name += ", "
		}
		name += s.Filename
	}
	return name
}
