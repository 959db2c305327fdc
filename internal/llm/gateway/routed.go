package gateway

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"generalbackend/internal/domain"
	"generalbackend/internal/llm"
	"generalbackend/internal/llm/offline"
)

// routed is a provider as the product sees it; with an empty name it is the
// default one of the moment.
type routed struct {
	gateway *Gateway
	name    string
}

var (
	_ llm.Provider  = routed{}
	_ llm.Describer = routed{}
	_ llm.Resolver  = routed{}
)

// Name implements llm.Provider. Another provider may answer: replies name it.
func (r routed) Name() string {
	if r.name == "" {
		return r.gateway.defaultProvider()
	}
	return r.name
}

// Resolve implements llm.Resolver.
func (r routed) Resolve(model string) string {
	_, resolved, err := r.gateway.Resolve(context.Background(), r.name, model)
	if err != nil {
		return model // asking will say what is wrong with it
	}
	return resolved
}

// Complete implements llm.Provider.
func (r routed) Complete(ctx context.Context, req llm.CompleteRequest) (llm.CompleteResponse, error) {
	return r.gateway.complete(ctx, r.name, req, func(ctx context.Context, p llm.Provider, req llm.CompleteRequest) (llm.CompleteResponse, int, error) {
		resp, err := p.Complete(ctx, req)
		return resp, 0, err
	})
}

// Stream implements llm.Provider. An answer with a schema comes in one piece,
// once it is known to be valid.
func (r routed) Stream(ctx context.Context, req llm.CompleteRequest, emit func(piece string) error) (llm.CompleteResponse, error) {
	if len(req.Schema) > 0 {
		resp, err := r.Complete(ctx, req)
		if err == nil {
			err = emit(resp.Content)
		}
		return resp, err
	}
	return r.gateway.complete(ctx, r.name, req, func(ctx context.Context, p llm.Provider, req llm.CompleteRequest) (llm.CompleteResponse, int, error) {
		emitted := 0
		resp, err := p.Stream(ctx, req, func(piece string) error {
			emitted += utf8.RuneCountInString(piece)
			return emit(piece)
		})
		return resp, emitted, err
	})
}

// call asks one provider; emitted counts the characters that went out by the
// time it returned.
type call func(ctx context.Context, p llm.Provider, req llm.CompleteRequest) (resp llm.CompleteResponse, emitted int, err error)

// impatience is how long a provider is tried again where another can be asked.
const impatience = 3 * time.Second

// complete admits the caller and asks the providers in turn until one answers,
// or fails in a way that another would too, or has begun to answer.
func (g *Gateway) complete(ctx context.Context, name string, req llm.CompleteRequest, ask call) (llm.CompleteResponse, error) {
	caller := llm.CallerOf(ctx)
	policy, err := g.policy(ctx, caller)
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	targets, err := g.targets(ctx, name, req.Model, g.localOnly(policy))
	if err != nil {
		return llm.CompleteResponse{}, err
	}
	if targets[0].Provider.Name() == offline.Name {
		resp, _, err := ask(ctx, targets[0].Provider, req)
		return resp, err
	}
	if err := g.admit(ctx, caller, policy); err != nil {
		return llm.CompleteResponse{}, err
	}
	var first error
	for i, t := range targets {
		resp, emitted, err := g.try(ctx, t, i < len(targets)-1, req, ask)
		if err == nil || emitted > 0 || !down(ctx, err) {
			return resp, err
		}
		if first == nil {
			first = err
		}
		if i < len(targets)-1 {
			g.metrics.fellBack(t.Provider.Name())
			g.log.WarnContext(ctx, "falling back to another provider", "from", t.Provider.Name(), "to", targets[i+1].Provider.Name(), "code", domain.CodeOf(err))
		}
	}
	return llm.CompleteResponse{}, first
}

// down tells failures of a provider as a whole, for which another one is asked.
func down(ctx context.Context, err error) bool {
	switch domain.CodeOf(err) {
	case domain.CodeModelUnavailable, domain.CodeModelOverloaded, domain.CodeModelRateLimited, domain.CodeModelTimeout:
		return ctx.Err() == nil
	}
	return false
}

// try asks one provider and meters it.
func (g *Gateway) try(ctx context.Context, t target, more bool, req llm.CompleteRequest, ask call) (llm.CompleteResponse, int, error) {
	req.Model = t.model
	provider := t.Provider.Name()
	attempt := ctx
	if more {
		attempt = llm.WithPatience(ctx, impatience)
	}
	started := time.Now()
	resp, emitted, err := ask(attempt, t.Provider, req)
	g.metrics.asked(provider, "complete", err, time.Since(started))
	usage, guessed := resp.Usage, false
	if usage == (llm.Usage{}) && (err == nil || emitted > 0) {
		usage, guessed = estimate(req, max(emitted, utf8.RuneCountInString(resp.Content))), true
	}
	resp.Usage = usage
	resp.Cost = g.record(ctx, provider, t.model, usage, guessed)
	return resp, emitted, err
}

// Embed implements llm.Provider. There is no falling back: vectors of another
// model are of no use.
func (r routed) Embed(ctx context.Context, req llm.EmbedRequest) (llm.EmbedResponse, error) {
	g := r.gateway
	name := r.name
	if name == "" {
		name = g.options.EmbeddingProvider
	}
	source, ok := g.source(name)
	if !ok {
		return llm.EmbedResponse{}, domain.Errorf(domain.CodeProviderUnknown, "There is no provider %q here that embeds.", name)
	}
	err := llm.Interrupted(ctx)
	if err != nil {
		return llm.EmbedResponse{}, err
	}
	if req.Model, err = g.EmbeddingModel(name, req.Model); err != nil {
		return llm.EmbedResponse{}, err
	}
	if err := g.mayEmbed(ctx, source); err != nil {
		return llm.EmbedResponse{}, err
	}
	started := time.Now()
	resp, err := source.Provider.Embed(ctx, req)
	if err == nil && len(resp.Vectors) != len(req.Texts) {
		err = domain.Errorf(domain.CodeModelMalformed, "The language model did not give a vector for each text.")
	}
	g.metrics.asked(name, "embed", err, time.Since(started))
	if err != nil {
		return resp, err
	}
	guessed := resp.Usage == llm.Usage{}
	if guessed {
		resp.Usage.PromptTokens = utf8.RuneCountInString(strings.Join(req.Texts, " ")) / llm.CharsPerToken
	}
	resp.Cost = g.record(ctx, name, req.Model, resp.Usage, guessed)
	return resp, nil
}

// mayEmbed holds every caller's texts back from the cloud where they are marked
// so. A request of one caller is counted and budgeted; the callers of a batch
// were admitted before they joined it.
func (g *Gateway) mayEmbed(ctx context.Context, source Source) error {
	shares := llm.SharesOf(ctx)
	alone := len(shares) == 1 && shares[0].Caller == llm.CallerOf(ctx)
	if source.Local && !alone {
		return nil
	}
	for _, s := range shares {
		policy, err := g.policy(ctx, s.Caller)
		if err != nil {
			return err
		}
		if !source.Local && g.localOnly(policy) && s.Caller.UserID != uuid.Nil {
			return localOnlyError()
		}
		if alone && source.Provider.Name() != offline.Name {
			return g.admit(ctx, s.Caller, policy)
		}
	}
	return nil
}

// Models implements llm.Provider: what may be asked for.
func (r routed) Models(ctx context.Context) ([]llm.Model, error) {
	source, ok := r.gateway.source(r.Name())
	if !ok {
		return nil, errors.New("the default provider is not configured")
	}
	models, err := source.Provider.Models(ctx)
	allowed := r.gateway.current.Load().Providers[r.Name()].Models
	models = slices.DeleteFunc(models, func(m llm.Model) bool {
		return len(allowed) > 0 && !m.Embedding && !slices.Contains(allowed, m.Name)
	})
	for i := range models {
		models[i].Local = source.Local
	}
	return models, err
}

// Describe implements llm.Describer.
func (r routed) Describe(ctx context.Context, model string) (llm.Model, error) {
	source, ok := r.gateway.source(r.Name())
	if !ok {
		return llm.Model{}, llm.ModelNotFound(r.Name(), model)
	}
	m, err := llm.Describe(ctx, source.Provider, model)
	m.Local = source.Local
	return m, err
}
