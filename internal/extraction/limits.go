package extraction

import "time"

// Limits bound what one document may cost. The zero value of a field means its
// default.
type Limits struct {
	MaxBytes    int64         `json:"max_bytes"`    // of the original
	MaxPages    int           `json:"max_pages"`    // more are refused, not cut off
	MaxText     int           `json:"max_text"`     // bytes of text
	MaxUnpacked int64         `json:"max_unpacked"` // bytes read from a zip container
	MaxEntries  int           `json:"max_entries"`  // members of a zip container
	Memory      int64         `json:"memory"`       // bytes of data a child may hold beyond the document
	CPU         time.Duration `json:"cpu"`          // processor time of a child, whole seconds
	Wall        time.Duration `json:"wall"`         // time for a document, waiting for a child aside
}

// DefaultLimits suit documents that people write and scan.
func DefaultLimits() Limits {
	return Limits{
		MaxBytes:    200 << 20,
		MaxPages:    5000,
		MaxText:     64 << 20,
		MaxUnpacked: 256 << 20,
		MaxEntries:  20_000,
		Memory:      768 << 20,
		CPU:         15 * time.Second,
		Wall:        60 * time.Second,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		MaxBytes:    orDefault(l.MaxBytes, d.MaxBytes),
		MaxPages:    orDefault(l.MaxPages, d.MaxPages),
		MaxText:     orDefault(l.MaxText, d.MaxText),
		MaxUnpacked: orDefault(l.MaxUnpacked, d.MaxUnpacked),
		MaxEntries:  orDefault(l.MaxEntries, d.MaxEntries),
		Memory:      orDefault(l.Memory, d.Memory),
		CPU:         orDefault(l.CPU, d.CPU),
		Wall:        orDefault(l.Wall, d.Wall),
	}
}

func orDefault[T int | int64 | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}
