package gateway

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
)

// metrics measure what the providers do.
type metrics struct {
	seconds   *prometheus.HistogramVec
	tokens    *prometheus.CounterVec
	fallbacks *prometheus.CounterVec
}

func newMetrics(registry prometheus.Registerer, sources []Source) *metrics {
	m := &metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gb_llm_request_seconds",
			Help:    "Duration of requests to language model providers, retries included, by outcome: ok or the error's code.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2.5, 12),
		}, []string{"provider", "operation", "outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gb_llm_tokens_total", Help: "Tokens used up, by kind: prompt or completion.",
		}, []string{"provider", "kind"}),
		fallbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gb_llm_fallbacks_total", Help: "Requests passed on because this provider was down.",
		}, []string{"provider"}),
	}
	if registry == nil {
		return m
	}
	registry.MustRegister(m.seconds, m.tokens, m.fallbacks)
	for _, s := range sources {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gb_llm_breaker_open", Help: "1 while a provider is not asked because it failed several times in a row.",
			ConstLabels: prometheus.Labels{"provider": s.Provider.Name()},
		}, func() float64 {
			if s.open() {
				return 1
			}
			return 0
		}))
	}
	return m
}

func (m *metrics) asked(provider, operation string, err error, d time.Duration) {
	outcome := "ok"
	if err != nil {
		outcome = string(domain.CodeOf(err))
	}
	m.seconds.WithLabelValues(provider, operation, outcome).Observe(d.Seconds())
}

func (m *metrics) used(provider string, u llm.Usage) {
	m.tokens.WithLabelValues(provider, "prompt").Add(float64(u.PromptTokens))
	m.tokens.WithLabelValues(provider, "completion").Add(float64(u.CompletionTokens))
}

func (m *metrics) fellBack(provider string) { m.fallbacks.WithLabelValues(provider).Inc() }
