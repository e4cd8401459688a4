package fake

import (
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"net/http"
	"slices"
	"strings"
)

// Misbehaviours of Entra ID.
const (
	EntraTenantMismatch   Misbehaviour = "id token: tid of another tenant than iss"
	EntraTenantNotGUID    Misbehaviour = "id token: tid is no GUID, iss agrees"
	EntraMissingTenant    Misbehaviour = "id token: no tid"
	EntraTemplateIssuer   Misbehaviour = "id token: iss is the template"
	EntraV1Issuer         Misbehaviour = "id token: v1 issuer"
	EntraMissingObject    Misbehaviour = "id token: no oid"
	EntraKeyOfOtherTenant Misbehaviour = "signature: a key scoped to another tenant"
	// EntraForeignKeyListed publishes a key of another tenant in a tenant's key set,
	// scoped as it is.
	EntraForeignKeyListed Misbehaviour = "keys: one scoped to another tenant"

	EntraGroupsOverage  Misbehaviour = "groups: overage with the vendor's dead endpoint"
	EntraHostileOverage Misbehaviour = "groups: overage with an endpoint elsewhere"
	EntraHasGroups      Misbehaviour = "groups: hasgroups instead of the claim"
	EntraOtherClaims    Misbehaviour = "groups: absent, _claim_names about something else"

	EntraEdovText Misbehaviour = `xms_edov: "1"`
	EntraEdovOne  Misbehaviour = "xms_edov: 1"
	EntraEdovNo   Misbehaviour = "xms_edov: false"

	EntraUnassigned     Misbehaviour = "authorize: AADSTS50105, not assigned"
	EntraSecretExpired  Misbehaviour = "token: AADSTS7000222, the secret has expired"
	EntraMFARequired    Misbehaviour = "token: AADSTS50076, a second factor is due"
	EntraAccessBlocked  Misbehaviour = "token: AADSTS53003, conditional access"
	EntraConsentMissing Misbehaviour = "token: AADSTS65001, consent missing"

	// EntraOtherTenant lets the token endpoint answer for the same person in another
	// tenant than the one whose endpoint was asked.
	EntraOtherTenant Misbehaviour = "id token: of another tenant than the endpoint's"
	EntraNoContext   Misbehaviour = "id token: no acrs although they were asked for"
	// EntraProseNumber has an unknown number in error_codes and another in the middle of
	// the text, for whoever reads prose.
	EntraProseNumber Misbehaviour = "token: an AADSTS number in the middle of the text"
)

func (f *Entra) token(w http.ResponseWriter, r *http.Request, tenant string) {
	f.respondToken(r, tenant).write(w)
}

func (f *Entra) respondToken(r *http.Request, tenant string) answer {
	t, refusal, ok := f.readRequest(r, tenant)
	if !ok {
		return refusal
	}
	no, detail := fine, ""
	if a, refused := f.conditionally(); refused {
		return a
	}
	var g *grant
	var person Person
	fresh := t.form.Get("grant_type") == "authorization_code"
	switch t.form.Get("grant_type") {
	case "authorization_code":
		detail = "code"
		g, person, no = f.redeemCode(t)
	case "refresh_token":
		detail = "refresh_token"
		g, person, no = f.redeemRefresh(t, false, -1)
	default:
		no = grantTypeUnknown
	}
	if no != fine {
		return f.tokenRefusal(no, detail)
	}
	life := entraAccessLife()
	granted := slices.DeleteFunc(slices.Clone(g.scopes), func(s string) bool { return s == "offline_access" })
	access := random("eyJ0eXAiOiJKV1QiLCJub25jZSI6", 300)
	f.ledger.putAccess(access, g, granted, f.opts.Now(), entraTokenLife)
	doc := map[string]any{
		"token_type": "Bearer", "scope": strings.Join(granted, " "), "expires_in": life, "ext_expires_in": life, "access_token": access,
	}
	// A new refresh token with each answer; the ones before stay valid ("Refresh tokens
	// in the Microsoft identity platform").
	if g.refreshable {
		doc["refresh_token"] = f.newRefresh("1.A", g, entraRefreshLife, 0)
	}
	if slices.Contains(g.scopes, "openid") {
		id, err := f.idToken(f.claims(g, person, fresh), f.signer(person), g.client)
		if err != nil {
			return f.aadsts(http.StatusInternalServerError, "server_error", 90033, err.Error())
		}
		doc["id_token"] = id
	}
	return f.tokenAnswer(doc)
}

// entraAccessLife is random between 60 and 90 minutes.
func entraAccessLife() int {
	n, err := rand.Int(rand.Reader, big.NewInt(1800))
	if err != nil {
		return 3600
	}
	return 3600 + int(n.Int64())
}

// capolids is a claims challenge ("Claims challenges, claims requests and client
// capabilities"): what the next authorization request has to ask for.
const capolids = `{"access_token":{"capolids":{"essential":true,"values":["aaaa1111-9999-4bbb-8ccc-dddddddddddd"]}}}`

// conditionally answers the refusals that come of policy, not of the request.
func (f *Entra) conditionally() (answer, bool) {
	switch {
	case f.script.hit(EntraSecretExpired):
		return f.aadsts(http.StatusUnauthorized, "invalid_client", 7000222, "The provided client secret keys are expired."), true
	case f.script.hit(EntraMFARequired):
		return f.aadsts(http.StatusBadRequest, "interaction_required", 50076, "You must use multi-factor authentication to access.").
			with(map[string]any{"suberror": "basic_action", "claims": capolids}), true
	case f.script.hit(EntraAccessBlocked):
		return f.aadsts(http.StatusBadRequest, "interaction_required", 53003, "Access has been blocked by Conditional Access policies.").
			with(map[string]any{"suberror": "message_only", "claims": capolids}), true
	case f.script.hit(EntraProseNumber):
		return f.aadsts(http.StatusBadRequest, "invalid_grant", 999999, "The text mentions AADSTS7000222: and AADSTS90033: in passing."), true
	case f.script.hit(EntraConsentMissing):
		return f.aadsts(http.StatusBadRequest, "invalid_grant", 65001, "The user or administrator has not consented to use the application.").
			with(map[string]any{"suberror": "consent_required"}), true
	}
	return f.scripted()
}

// EntraSubject is the sub a client sees for a person: pairwise, so that another
// application sees another one.
func EntraSubject(clientID string, p Person) string {
	sum := sha256.Sum256([]byte(clientID + "\x00" + p.Entra.Subject))
	return b64(sum[:])
}

func entraSession(p Person) string {
	sum := sha256.Sum256([]byte("session:" + p.Entra.ObjectID))
	return "006" + b64(sum[:12])
}

// claims are those of "ID token claims reference": no email_verified, no at_hash and
// no amr. The object id comes with the scope profile.
func (f *Entra) claims(g *grant, person Person, fresh bool) map[string]any {
	if f.script.hit(EntraOtherTenant) {
		person.Entra.TenantID = f.tenantBeside(person.Entra.TenantID)
	}
	issued := f.opts.Now().Add(-entraBackdated)
	tid := person.Entra.TenantID
	claims := map[string]any{
		"aud": g.client.ID, "iss": f.Issuer(tid), "iat": issued.Unix(), "nbf": issued.Unix(), "exp": issued.Add(entraTokenLife).Unix(),
		"aio": random("AWQAm/8TAAAA", 30), "sub": EntraSubject(g.client.ID, person), "tid": tid, "ver": "2.0",
	}
	if tid == personalTenant {
		claims["exp"] = issued.Add(day).Unix()
	} else {
		claims["rh"], claims["uti"] = random("1.A", 20)+".", random("", 16)
	}
	if slices.Contains(g.scopes, "profile") {
		claims["oid"], claims["preferred_username"] = person.Entra.ObjectID, person.Entra.PreferredUsername
		setNonEmpty(claims, "name", person.Name)
	}
	if fresh {
		setNonEmpty(claims, "nonce", g.nonce)
	} else if f.script.hit(RefreshGivesSomebody) {
		claims["oid"], claims["sub"] = guid(), random("", 32)
	}
	if g.acr != "" && !f.script.hit(EntraNoContext) {
		claims["acrs"] = []string{g.acr}
	}
	f.addOptional(claims, g, person)
	f.addGroups(claims, person)
	f.spoilTenant(claims)
	return claims
}

// addOptional adds the claims the registration asks for ("Optional claims
// reference"). E-mail is one of them,
// but guests and personal accounts always have it.
func (f *Entra) addOptional(claims map[string]any, g *grant, person Person) {
	guest, personal := person.Entra.HomeTenantID != "", person.Entra.TenantID == personalTenant
	configured := func(name string) bool { return slices.Contains(f.opts.Entra.OptionalClaims, name) }
	if guest {
		claims["idp"] = "https://sts.windows.net/" + person.Entra.HomeTenantID + "/"
	}
	if slices.Contains(g.scopes, "email") && person.Email != "" && !person.Entra.NoEmail && (guest || personal || configured("email")) {
		claims["email"] = person.Email
		if configured("xms_edov") && person.Entra.DomainOwnerVerified != nil {
			claims["xms_edov"] = person.Entra.DomainOwnerVerified
		}
	}
	for m, value := range map[Misbehaviour]any{EntraEdovText: "1", EntraEdovOne: 1, EntraEdovNo: false} {
		if f.script.hit(m) {
			claims["xms_edov"] = value
		}
	}
	if configured("sid") {
		claims["sid"] = entraSession(person)
	}
	if configured("login_hint") {
		claims["login_hint"] = entraLoginHint(person)
	}
	if configured("auth_time") {
		claims["auth_time"] = g.authTime.Unix()
	}
	if len(person.Entra.Roles) > 0 {
		claims["roles"] = person.Entra.Roles
	}
}

// addGroups adds the groups, or where there are more than a token may hold a
// reference to an API that was switched off years ago ("Access token claims
// reference", groups overage claim).
func (f *Entra) addGroups(claims map[string]any, person Person) {
	var ids []string
	for _, g := range person.Entra.Groups {
		ids = append(ids, g.ID)
	}
	endpoint := "https://graph.windows.net/" + person.Entra.TenantID + "/users/" + person.Entra.ObjectID + "/getMemberObjects"
	overage := f.script.hit(EntraGroupsOverage) || len(ids) > entraMaxGroups
	if f.script.hit(EntraHostileOverage) {
		_, elsewhere := f.script.settings()
		endpoint, overage = elsewhere+"/getMemberObjects", true
	}
	switch {
	case f.opts.Entra.NoGroupsClaim || person.Entra.TenantID == personalTenant:
	case f.script.hit(EntraHasGroups):
		claims["hasgroups"] = true
	case f.script.hit(EntraOtherClaims):
		claims["_claim_names"] = map[string]any{"wids": "src1"}
		claims["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": endpoint}}
	case overage:
		claims["_claim_names"] = map[string]any{"groups": "src1"}
		claims["_claim_sources"] = map[string]any{"src1": map[string]any{"endpoint": endpoint}}
	case len(ids) > 0:
		claims["groups"] = ids
	}
}

func (f *Entra) spoilTenant(claims map[string]any) {
	switch {
	case f.script.hit(EntraTenantMismatch):
		claims["tid"] = "dddddddd-2222-4b4b-8888-aaaabbbbcccc"
	case f.script.hit(EntraTenantNotGUID):
		claims["tid"], claims["iss"] = "elsewhere", f.Issuer("elsewhere")
	case f.script.hit(EntraMissingTenant):
		delete(claims, "tid")
	case f.script.hit(EntraTemplateIssuer):
		claims["iss"] = f.Issuer(segmentCommon)
	case f.script.hit(EntraV1Issuer):
		claims["iss"], claims["ver"] = "https://sts.windows.net/"+claims["tid"].(string)+"/", "1.0"
	}
	if f.script.hit(EntraMissingObject) {
		delete(claims, "oid")
	}
}

// logout needs no hint; it returns to a URI that some client registered.
func (f *Entra) logout(w http.ResponseWriter, r *http.Request, _ string) {
	f.signOut(w, r)
	var of Client
	for _, c := range f.opts.Clients {
		if slices.Contains(c.PostLogoutRedirectURIs, r.FormValue("post_logout_redirect_uri")) {
			of = c
		}
	}
	if of.ID == "" {
		r.Form.Del("post_logout_redirect_uri") // Microsoft then stays on its own page
	}
	f.afterLogout(w, r, of)
}
