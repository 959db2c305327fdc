package api_test

import (
	"testing"

	"github.com/google/uuid"

	"generalbackend/internal/api"
	"generalbackend/internal/domain"
)

func TestLimitsOfUsers(t *testing.T) {
	t.Parallel()
	s := newSystem(t)
	admin, u := s.newAdmin(), s.newUser()
	path := userPath(u.id) + "/limits"
	if err := s.store.RecordLLMUsage(t.Context(), []domain.LLMUsage{{UserID: u.id, PromptTokens: 7, Cost: domain.CostUnit / 4}}); err != nil {
		t.Fatal(err)
	}
	var limits api.UserLimits
	admin.must(200, "GET", path, nil).into(t, &limits)
	if limits != (api.UserLimits{UsedTokens: 7, UsedCost: 0.25}) {
		t.Errorf("at first %+v", limits)
	}
	admin.must(200, "PUT", path, object{"monthly_tokens": 1000, "monthly_cost": 1.1, "requests_per_minute": 0, "local_only": true}).into(t, &limits)
	if *limits.MonthlyTokens != 1000 || *limits.MonthlyCost != 1.1 || *limits.RequestsPerMinute != 0 || !limits.LocalOnly || limits.UsedTokens != 7 {
		t.Errorf("limited to %+v", limits)
	}
	limits = api.UserLimits{}
	admin.must(200, "PUT", path, object{"monthly_tokens": nil}).into(t, &limits)
	if limits != (api.UserLimits{UsedTokens: 7, UsedCost: 0.25}) {
		t.Errorf("not limited any more, but %+v", limits)
	}
	for _, body := range []object{{"monthly_tokens": -1}, {"monthly_cost": -0.5}, {"requests_per_minute": 1.5}, {"monthly_cost": 1e12}} {
		admin.refused(domain.CodeInvalid, 422, "PUT", path, body)
	}
	var log api.Page[api.AuditEntry]
	if admin.must(200, "GET", "/v1/admin/audit-log?action=user.limits", nil).into(t, &log); len(log.Items) != 2 {
		t.Errorf("written down: %+v", log.Items)
	}
	missing := userPath(uuid.New()) + "/limits"
	admin.refused(domain.CodeNotFound, 404, "GET", missing, nil)
	admin.refused(domain.CodeNotFound, 404, "PUT", missing, object{})
}
