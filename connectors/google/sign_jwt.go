package google

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker/jose"
	"gatehouse/connectors"
)

// signRemotely has Google sign for the account, with a key that nobody holds
// ("projects.serviceAccounts.signJwt"). own is a token of whoever may do so.
func (a *account) signRemotely(ctx context.Context, own string, claims assertion) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", broken("the claims of the service account cannot be written")
	}
	body, err := json.Marshal(map[string]string{"payload": string(payload)})
	if err != nil {
		return "", broken("the claims of the service account cannot be written")
	}
	address := baseURL(a.config.IAMURL, publicIAMURL) + "/v1/projects/-/serviceAccounts/" + url.PathEscape(claims.Issuer) + ":signJwt"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return "", broken("iam_url is not a URL")
	}
	req.Header.Set("Authorization", "Bearer "+own)
	req.Header.Set("Content-Type", "application/json")
	answer, err := a.fetcher.Do(req, connectors.MaxDocument)
	if err != nil {
		return "", err
	}
	if !answer.OK() {
		return "", iamRefused(answer, a.now(), claims.Issuer)
	}
	var r struct {
		Signed string `json:"signedJwt"`
	}
	if jose.StrictUnmarshal(answer.Body, &r) != nil || r.Signed == "" {
		return "", broken("the answer of the IAM Service Account Credentials API has no signed JWT")
	}
	return r.Signed, nil
}

// iamRefused words a refusal of the IAM Service Account Credentials API.
func iamRefused(answer connectors.Answer, now time.Time, address string) *connectors.Error {
	return readProblem(answer).asError(answer, now, advice{
		api: "IAM Service Account Credentials API", scope: cloudScope,
		forbidden: "grant the caller the role Service Account Token Creator (roles/iam.serviceAccountTokenCreator) on " + address + "; an account needs it on itself too",
		missing:   "there is no service account " + address,
	})
}
