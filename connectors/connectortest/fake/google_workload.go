package fake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Credentials without a key: workload identity federation, the IAM Service Account
// Credentials API and the metadata server, after "Workload Identity Federation",
// "OAuth 2.0 Token Exchange: method token", "projects.serviceAccounts.signJwt",
// "projects.serviceAccounts.generateAccessToken" and "About VM metadata".

// GoogleWorkloadToken is the token that the workload has of its own platform.
const GoogleWorkloadToken = "eyJhbGciOiJSUzI1NiJ9.d29ya2xvYWQ.c2lnbmF0dXJl"

const (
	googleAudience = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/fixture/providers/fixture"
	// googleWorkloadPath serves the token to a workload that fetches it by URL.
	googleWorkloadPath   = "/workload/token"
	googleWorkloadHeader = "X-Workload-Secret"
	googleMetadataPath   = "/computeMetadata/v1/instance/service-accounts/default/"
)

// GoogleExternalAccount is a credential configuration as `gcloud iam
// workload-identity-pools create-cred-config` writes it, for a fake at base. source
// is its credential_source: GoogleFileSource or GoogleURLSource, or anything else.
func GoogleExternalAccount(base string, source map[string]any) map[string]any {
	return map[string]any{
		"type": "external_account", "audience": googleAudience, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
		"token_url": base + "/v1/token", "credential_source": source, "universe_domain": "googleapis.com",
		"service_account_impersonation_url": base + "/v1/projects/-/serviceAccounts/" + GoogleServiceAccount + ":generateAccessToken",
	}
}

// GoogleFileSource is the credential_source of a token in a file.
func GoogleFileSource(path string) map[string]any { return map[string]any{"file": path} }

// GoogleURLSource is the credential_source of a token that the platform serves.
func GoogleURLSource(base string) map[string]any {
	return map[string]any{
		"url": base + googleWorkloadPath, "headers": map[string]string{googleWorkloadHeader: "of the platform"},
		"format": map[string]any{"type": "json", "subject_token_field_name": "id_token"},
	}
}

func (f *Google) mountWorkload() {
	f.route("GET "+googleWorkloadPath, GoogleWorkload, f.workloadToken)
	f.route("POST /v1/token", GoogleSTS, f.exchange)
	f.route("POST /v1/projects/-/serviceAccounts/{call}", GoogleIAM, f.iam)
	f.route("GET "+googleMetadataPath+"{what}", GoogleMetadata, f.metadata)
}

func (f *Google) workloadToken(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(googleWorkloadHeader) == "" {
		http.Error(w, "forbidden", http.StatusForbidden)
		return
	}
	answer{status: http.StatusOK, body: map[string]any{"id_token": GoogleWorkloadToken, "expires_in": 600}}.write(w)
}

// exchange is the Security Token Service (RFC 8693).
func (f *Google) exchange(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	switch {
	case form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange",
		form.Get("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token":
		refusedToken(http.StatusBadRequest, "invalid_request", "Invalid value for grant_type or requested_token_type.").write(w)
	case form.Get("audience") != googleAudience:
		refusedToken(http.StatusBadRequest, "invalid_target", "The target service indicated by the audience is invalid.").write(w)
	case form.Get("subject_token") != GoogleWorkloadToken, form.Get("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt":
		refusedToken(http.StatusBadRequest, "invalid_grant", "The subject token is not acceptable.").write(w)
	default:
		token := f.service.issue(googleCaller{account: true, scopes: strings.Fields(form.Get("scope"))}, f.opts.Now().Add(time.Hour))
		answer{status: http.StatusOK, body: map[string]any{
			"access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600,
		}}.write(w)
	}
}

// iam is the IAM Service Account Credentials API.
func (f *Google) iam(w http.ResponseWriter, r *http.Request) {
	name, verb, _ := strings.Cut(r.PathValue("call"), ":")
	c, ok := f.caller(r)
	switch {
	case !ok || !c.account:
		googleProblem{status: 401, message: "Request had invalid authentication credentials.", name: "UNAUTHENTICATED"}.answer().write(w)
		return
	case f.script.hit(GoogleAPIDisabled):
		googleProblem{status: 403, message: "IAM Service Account Credentials API has not been used in project 123456789012 before.", name: "PERMISSION_DENIED", detail: "SERVICE_DISABLED"}.answer().write(w)
		return
	case f.script.hit(GoogleNoTokenCreator) || !slices.Contains(c.scopes, googleCloudScope):
		googleProblem{status: 403, message: "Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not exist).", name: "PERMISSION_DENIED", detail: "IAM_PERMISSION_DENIED"}.answer().write(w)
		return
	case name != GoogleServiceAccount:
		googleProblem{status: 404, message: "Not found; Gaia id not found for email " + name, name: "NOT_FOUND"}.answer().write(w)
		return
	}
	var body struct {
		Payload  string   `json:"payload"`
		Scope    []string `json:"scope"`
		Lifetime string   `json:"lifetime"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	switch {
	case err == nil && verb == "generateAccessToken" && len(body.Scope) > 0:
		f.generateAccessToken(w, body.Scope)
	case err == nil && verb == "signJwt":
		f.signJWT(w, body.Payload)
	default:
		googleProblem{status: 400, message: "Request contains an invalid argument.", name: "INVALID_ARGUMENT"}.answer().write(w)
	}
}

func (f *Google) generateAccessToken(w http.ResponseWriter, scopes []string) {
	expires := f.opts.Now().Add(time.Hour)
	f.document(w, GoogleIAM, map[string]any{
		"accessToken": f.service.issue(googleCaller{account: true, scopes: scopes}, expires), "expireTime": expires.UTC().Format(time.RFC3339),
	})
}

func (f *Google) signJWT(w http.ResponseWriter, payload string) {
	var claims struct {
		Expires int64 `json:"exp"`
	}
	now := f.opts.Now()
	if json.Unmarshal([]byte(payload), &claims) != nil || claims.Expires <= now.Unix() || claims.Expires > now.Add(12*time.Hour).Unix() {
		googleProblem{status: 400, message: "The payload's expiration must be within 12 hours.", name: "INVALID_ARGUMENT"}.answer().write(w)
		return
	}
	key, err := f.keys.pool.key("RS256", secondKey)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	signed, err := jws(map[string]any{"alg": "RS256", "kid": googleKeyID, "typ": "JWT"}, []byte(payload), signedBy(key))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	f.document(w, GoogleIAM, map[string]any{"keyId": googleKeyID, "signedJwt": signed})
}

// metadata is what a machine at Google learns of the service account it runs as.
func (f *Google) metadata(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Metadata-Flavor") != "Google" {
		http.Error(w, "Missing Metadata-Flavor:Google header", http.StatusForbidden)
		return
	}
	w.Header().Set("Metadata-Flavor", "Google")
	switch r.PathValue("what") {
	case "email":
		w.Header().Set("Content-Type", "application/text")
		_, _ = w.Write([]byte(GoogleServiceAccount))
	case "token":
		scopes := []string{googleCloudScope}
		if asked := r.FormValue("scopes"); asked != "" {
			scopes = strings.Split(asked, ",")
		}
		f.document(w, GoogleMetadata, map[string]any{
			"access_token": f.service.issue(googleCaller{account: true, scopes: scopes}, f.opts.Now().Add(googleAccessLife)),
			"expires_in":   int(googleAccessLife.Seconds()), "token_type": "Bearer",
		})
	default:
		http.NotFound(w, r)
	}
}
