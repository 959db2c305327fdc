package wire

import "sync"

// Heat remembers which models take no temperature. Newer ones refuse requests
// that set it, and nothing but the refusal tells which.
type Heat struct{ fixed sync.Map }

// Fixed reports whether model is known to refuse a temperature.
func (h *Heat) Fixed(model string) bool {
	_, fixed := h.fixed.Load(model)
	return fixed
}

// Fix notes that model refuses a temperature.
func (h *Heat) Fix(model string) { h.fixed.Store(model, struct{}{}) }
