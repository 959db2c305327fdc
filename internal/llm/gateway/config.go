package gateway

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm/offline"
)

// Config says which model answers and what may be used up. Administrators change
// it while everything runs.
type Config struct {
	DefaultProvider   string                    `json:"default_provider" doc:"Answers where a request names none" maxLength:"50" example:"ollama"`
	Providers         map[string]ProviderConfig `json:"providers" doc:"By name of the provider; those left out have no default model and no prices"`
	Aliases           map[string]string         `json:"aliases" doc:"Names of retired models and what stands for them; an empty name is the provider's default model" example:"{\"grok-3\":\"\"}"`
	Fallback          []string                  `json:"fallback" doc:"Asked in this order when a provider is down or overloaded. Who names a local provider is never passed to a cloud" maxItems:"20" example:"[\"anthropic\"]"`
	LocalOnly         bool                      `json:"local_only" doc:"Keep everybody's work away from cloud providers"`
	Currency          string                    `json:"currency" doc:"Of prices and costs" example:"USD" maxLength:"3"`
	MonthlyTokens     int64                     `json:"monthly_tokens" doc:"Each user's tokens in a calendar month (UTC); 0: no limit" minimum:"0" example:"2000000"`
	MonthlyCost       float64                   `json:"monthly_cost" doc:"Each user's cost in a calendar month (UTC); 0: no limit" minimum:"0" example:"20"`
	RequestsPerMinute int                       `json:"requests_per_minute" doc:"Each user's requests; 0: no limit" minimum:"0" maximum:"100000" example:"60"`
}

// ProviderConfig is about one provider.
type ProviderConfig struct {
	DefaultModel string           `json:"default_model" doc:"Answers where a request names none, or one of another provider" maxLength:"200" example:"llama3.2"`
	Models       []string         `json:"models,omitempty" doc:"The only models that may be asked; empty: all the provider has" maxItems:"500"`
	Prices       map[string]Price `json:"prices,omitempty" doc:"By model; * is for those not named. What has no price costs nothing"`
}

// Price is what a million tokens cost.
type Price struct {
	Prompt     float64 `json:"prompt" minimum:"0" example:"3"`
	Completion float64 `json:"completion" minimum:"0" example:"15"`
}

// anyModel stands for every model that has no price of its own.
const anyModel = "*"

// cost is in billionths, so a price for a million tokens is 1,000 for one.
func (p Price) cost(prompt, completion int) domain.Cost {
	const perToken = float64(domain.CostUnit) / 1e6
	return domain.Cost(math.Round((p.Prompt*float64(prompt) + p.Completion*float64(completion)) * perToken))
}

func (c Config) price(provider, model string) Price {
	prices := c.Providers[provider].Prices
	if p, ok := prices[model]; ok {
		return p
	}
	return prices[anyModel]
}

// RetiredModels are names that earlier front ends still send.
func RetiredModels() map[string]string {
	return map[string]string{"qwen2.5:3b": "", "grok-3": ""}
}

// FieldError is what is wrong with one field.
type FieldError struct{ Field, Problem string }

// FieldErrors are all that is wrong with a configuration.
type FieldErrors []FieldError

// Error implements error.
func (f FieldErrors) Error() string { return f[0].Field + " " + f[0].Problem }

var name = regexp.MustCompile(`^[\w.:/@+-]{1,200}$`)

// highest bounds prices and costs far above any real one, so that sums fit.
const highest = 1e6

// check lists what is wrong with c where these providers are configured.
func (c Config) check(configured []string) FieldErrors {
	var f FieldErrors
	must := func(ok bool, field, problem string) {
		if !ok {
			f = append(f, FieldError{field, problem})
		}
	}
	here := "must be one of " + strings.Join(configured, ", ")
	must(slices.Contains(configured, c.DefaultProvider), "default_provider", here)
	for _, p := range slices.Sorted(maps.Keys(c.Providers)) {
		must(slices.Contains(configured, p), "providers", here)
		f = append(f, c.Providers[p].check("providers."+p)...)
	}
	for i, p := range c.Fallback {
		field := fmt.Sprintf("fallback[%d]", i)
		must(slices.Contains(configured, p) && p != offline.Name, field, here+" that has language models")
		must(slices.Index(c.Fallback, p) == i, field, "comes twice")
	}
	for retired, model := range c.Aliases {
		must(name.MatchString(retired) && (model == "" || name.MatchString(model)), "aliases", "must have names of models")
		_, again := c.Aliases[model]
		must(!again, "aliases", "must not lead to another alias")
	}
	must(len(c.Aliases) <= 500, "aliases", "must not have more than 500 entries")
	must(regexp.MustCompile(`^[A-Z]{3}$`).MatchString(c.Currency), "currency", "must be a code of three letters, such as USD")
	must(c.MonthlyTokens >= 0, "monthly_tokens", "must not be negative")
	must(c.MonthlyCost >= 0 && c.MonthlyCost <= highest, "monthly_cost", "must be between 0 and 1000000")
	must(c.RequestsPerMinute >= 0 && c.RequestsPerMinute <= 100_000, "requests_per_minute", "must be between 0 and 100000")
	return f
}

func (p ProviderConfig) check(field string) FieldErrors {
	var f FieldErrors
	if p.DefaultModel != "" && !name.MatchString(p.DefaultModel) {
		f = append(f, FieldError{field + ".default_model", "must be the name of a model"})
	}
	if len(p.Models) > 0 && p.DefaultModel != "" && !slices.Contains(p.Models, p.DefaultModel) {
		f = append(f, FieldError{field + ".default_model", "must be one of the models"})
	}
	for i, m := range p.Models {
		if !name.MatchString(m) {
			f = append(f, FieldError{fmt.Sprintf("%s.models[%d]", field, i), "must be the name of a model"})
		}
	}
	for _, m := range slices.Sorted(maps.Keys(p.Prices)) {
		price := p.Prices[m]
		if m != anyModel && !name.MatchString(m) {
			f = append(f, FieldError{field + ".prices", "must be by name of a model or *"})
		}
		if price.Prompt < 0 || price.Completion < 0 || price.Prompt > highest || price.Completion > highest {
			f = append(f, FieldError{field + ".prices", "must be between 0 and 1000000"})
		}
	}
	return f
}
