-- +goose Up
-- Whoever checks who somebody is does it as the system.
REVOKE ALL ON user_tokens FROM general_backend_user, general_backend_worker;
REVOKE ALL ON api_keys FROM general_backend_worker;

-- What language models use up is counted and limited by the system; users read it.
REVOKE INSERT, UPDATE, DELETE ON llm_usage, llm_months, llm_limits, llm_rates FROM general_backend_user;
REVOKE ALL ON llm_usage, llm_months, llm_limits, llm_rates FROM general_backend_worker;

-- The work of a job is about one chat or one match of a batch.
SELECT narrow('chats', 'project_id = (SELECT job_project())', 'SELECT, UPDATE');
REVOKE ALL ON match_batches FROM general_backend_worker;

-- +goose Down
GRANT SELECT, INSERT, UPDATE, DELETE ON user_tokens, api_keys, llm_usage, llm_months, llm_limits, llm_rates, chats, match_batches
    TO general_backend_worker;
GRANT SELECT, INSERT, UPDATE, DELETE ON user_tokens, llm_usage, llm_months, llm_limits, llm_rates TO general_backend_user;
ALTER POLICY worked ON chats USING (user_id = (SELECT acting_user())) WITH CHECK (user_id = (SELECT acting_user()));
