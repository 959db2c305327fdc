package jobs

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/propagation"

	"generalbackend/internal/domain"
	"generalbackend/internal/postgres"
)

// withTrace continues the trace of the request that made a job.
func withTrace(ctx context.Context, traceparent string) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": traceparent})
}

// Metrics measures attempts.
type Metrics struct{ seconds *prometheus.HistogramVec }

// NewMetrics registers the metrics of the runners of one process.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	m := &Metrics{seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "gb_job_attempt_seconds",
		Help:    "Duration of attempts by stage and outcome.",
		Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 12),
	}, []string{"stage", "outcome"})}
	registry.MustRegister(m.seconds)
	return m
}

func (m *Metrics) observe(stage domain.Stage, result outcome, d time.Duration) {
	m.seconds.WithLabelValues(string(stage), string(result)).Observe(d.Seconds())
}

// depths reports the backlog as Postgres has it at the moment of the scrape.
type depths struct {
	store  *postgres.Store
	jobs   *prometheus.Desc
	oldest *prometheus.Desc
	dead   *prometheus.Desc
	paused *prometheus.Desc
}

// NewDepths is a collector of queue depths and ages, dead letters and pauses. One
// process should register it, since all would say the same.
func NewDepths(store *postgres.Store) prometheus.Collector {
	labels := []string{"stage", "class", "state"}
	return &depths{
		store:  store.System(),
		jobs:   prometheus.NewDesc("gb_queue_jobs", "Jobs that are not terminal.", labels, nil),
		oldest: prometheus.NewDesc("gb_queue_oldest_seconds", "Age of the oldest such job.", labels, nil),
		dead:   prometheus.NewDesc("gb_dead_letters", "Failed jobs that nobody retried or discarded.", labels[:1], nil),
		paused: prometheus.NewDesc("gb_stage_paused", "1 while an operator holds the stage back.", labels[:1], nil),
	}
}

// Describe implements prometheus.Collector.
func (d *depths) Describe(c chan<- *prometheus.Desc) {
	c <- d.jobs
	c <- d.oldest
	c <- d.dead
	c <- d.paused
}

// Collect implements prometheus.Collector.
func (d *depths) Collect(c chan<- prometheus.Metric) {
	ctx, done := context.WithTimeout(context.Background(), 5*time.Second)
	defer done()
	if err := d.collect(ctx, c); err != nil {
		c <- prometheus.NewInvalidMetric(d.jobs, err)
	}
}

func (d *depths) collect(ctx context.Context, c chan<- prometheus.Metric) error {
	found, err := d.store.QueueDepths(ctx)
	if err != nil {
		return err
	}
	dead, err := d.store.DeadLetters(ctx)
	if err != nil {
		return err
	}
	pauses, err := d.store.StagePauses(ctx)
	if err != nil {
		return err
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, x := range found {
		labels := []string{string(x.Stage), string(x.Class), string(x.State)}
		gauge(d.jobs, float64(x.Jobs), labels...)
		gauge(d.oldest, x.OldestSeconds, labels...)
	}
	for _, stage := range domain.Stages() {
		held := 0.0
		if _, paused := pauses[stage]; paused {
			held = 1
		}
		gauge(d.paused, held, string(stage))
		gauge(d.dead, float64(dead[stage]), string(stage))
	}
	return nil
}
