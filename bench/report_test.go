package main

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		values []float64
		q      float64
		want   float64
	}{
		{[]float64{3, 1, 2}, 0.5, 2},
		{[]float64{4, 1, 3, 2}, 0.5, 2},
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.99, 10},
		{[]float64{7}, 0.01, 7},
		{[]float64{1, 2}, 0, 1},
	} {
		if got := quantile(tc.values, tc.q); got != tc.want {
			t.Errorf("quantile(%v, %v) = %v, want %v", tc.values, tc.q, got, tc.want)
		}
	}
	if got := quantile(nil, 0.5); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %v", got)
	}
}

func TestQuantilesAreMilliseconds(t *testing.T) {
	t.Parallel()
	r := newReport("x", machine{}, "")
	var waits []time.Duration
	for i := range 100 {
		waits = append(waits, time.Duration(i+1)*time.Millisecond)
	}
	r.quantiles("a", "wait", waits)
	if p50, p99 := r.find("a", "wait p50 ms").Rounds[0], r.find("a", "wait p99 ms").Rounds[0]; p50 != 50 || p99 != 99 {
		t.Errorf("p50 %v, p99 %v", p50, p99)
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	t.Parallel()
	r := newReport("x", machine{}, "")
	for _, round := range [][2]float64{{10, 5}, {100, 400}, {30, 30}} {
		r.add("a", "jobs/s", round[0])
		r.add("b", "jobs/s", round[1])
	}
	r.compare("a", "jobs/s", "b")
	r.compare("a", "jobs/s", "nobody")
	if got := r.find("a ÷ b", "jobs/s").String(); got != "1.00 (0.250–2.00)" {
		t.Errorf("ratio %s", got)
	}
	if table := r.String(); !strings.Contains(table, "a ÷ b") || strings.Contains(table, "nobody") {
		t.Errorf("table:\n%s", table)
	}
}

func TestShort(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]float64{"0": 0, "0.0123": 0.01234, "1.23": 1.234, "123": 123.4, "12345": 12345, "-2.50": -2.5} {
		if got := short(v); got != want {
			t.Errorf("short(%v) = %s, want %s", v, got, want)
		}
	}
}

func TestSave(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "results")
	r := newReport("search", newMachine(), "command")
	r.add("a", "ms", 1)
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(dir, "*-search.json")); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	all := []scenario{{name: "a"}, {name: "b"}}
	if got, err := choose(all, ""); err != nil || len(got) != 2 {
		t.Errorf("all: %v, %v", got, err)
	}
	if got, err := choose(all, "b"); err != nil || len(got) != 1 || got[0].name != "b" {
		t.Errorf("one: %v, %v", got, err)
	}
	if _, err := choose(all, "c"); err == nil || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("unknown: %v", err)
	}
}
