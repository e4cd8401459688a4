// An application with openid-client. Its callback does all that an application
// ever does, and says as JSON how it went.
import http from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, BASE, PORT, AUTH, ALG } = process.env
const authentication = {
  basic: client.ClientSecretBasic(CLIENT_SECRET),
  post: client.ClientSecretPost(CLIENT_SECRET),
  none: client.None(),
}[AUTH]
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, { id_token_signed_response_alg: ALG }, authentication, {
  execute: ISSUER.startsWith('http:') ? [client.allowInsecureRequests] : [],
})
// Without this the library leaves signatures unchecked that came over TLS.
client.enableNonRepudiationChecks(config)

// refusal is the OAuth error that something ends with.
const refusal = async (promise) => {
  try {
    await promise
    return 'accepted'
  } catch (error) {
    return error.error ?? error.code ?? String(error)
  }
}

let begun
const login = async (parameters = {}) => {
  begun = {
    pkceCodeVerifier: client.randomPKCECodeVerifier(),
    expectedState: client.randomState(),
    expectedNonce: client.randomNonce(),
    idTokenExpected: true,
  }
  return client.buildAuthorizationUrl(config, {
    redirect_uri: `${BASE}/callback`,
    scope: 'openid profile email groups offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(begun.pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: begun.expectedState,
    nonce: begun.expectedNonce,
    ...parameters,
  })
}

const callback = async (url) => {
  const tokens = await client.authorizationCodeGrant(config, url, begun)
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  const again = await client.fetchUserInfo(config, refreshed.access_token, claims.sub)
  const narrowed = await client.refreshTokenGrant(config, refreshed.refresh_token, { scope: 'openid email' })
  return {
    sub: claims.sub,
    email: claims.email,
    groups: claims.groups,
    userinfo: userinfo.email,
    refreshed: again.sub === claims.sub && refreshed.refresh_token !== tokens.refresh_token,
    refreshedSubject: refreshed.claims()?.sub === claims.sub,
    narrowedScope: narrowed.scope,
    otherUserinfo: await refusal(client.fetchUserInfo(config, tokens.access_token, 'somebody-else')),
    spentRefreshToken: await refusal(client.refreshTokenGrant(config, tokens.refresh_token)),
    familyAfterwards: await refusal(client.refreshTokenGrant(config, narrowed.refresh_token)),
    userinfoAfterwards: await refusal(client.fetchUserInfo(config, narrowed.access_token, claims.sub)),
    spentCode: await refusal(client.authorizationCodeGrant(config, url, begun)),
  }
}

const answers = {
  '/login': async () => login(),
  '/silently': async () => login({ prompt: 'none' }),
  '/stolen': async () => {
    const url = await login()
    begun.pkceCodeVerifier = client.randomPKCECodeVerifier()
    begun.stolen = true
    return url
  },
}

http
  .createServer(async (request, response) => {
    try {
      const url = new URL(request.url, BASE)
      if (answers[url.pathname]) {
        response.writeHead(302, { location: String(await answers[url.pathname]()) }).end()
        return
      }
      const { stolen } = begun
      delete begun.stolen
      const outcome = stolen
        ? { refused: await refusal(client.authorizationCodeGrant(config, url, begun)) }
        : await callback(url)
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(outcome))
    } catch (error) {
      console.error(error)
      response.writeHead(500).end(String(error.error ?? error))
    }
  })
  .listen(PORT, '127.0.0.1', () => console.log('listening'))
