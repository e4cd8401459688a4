// An application with openid-client. Its callback does all that an application
// ever does, and says as JSON how it went.
import http from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, BASE, PORT, AUTH, ALG, INITIAL_ACCESS_TOKEN } = process.env
const issuer = new URL(ISSUER)
const options = { execute: ISSUER.startsWith('http:') ? [client.allowInsecureRequests] : [] }
const authentication = {
  basic: client.ClientSecretBasic(CLIENT_SECRET),
  post: client.ClientSecretPost(CLIENT_SECRET),
  none: client.None(),
}[AUTH]
// register makes the application a client that nobody has configured (RFC 7591).
const register = (initialAccessToken) =>
  client.dynamicClientRegistration(
    issuer,
    {
      client_name: 'Registered',
      redirect_uris: [`${BASE}/callback`],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: ALG,
      scope: 'openid profile email groups offline_access',
    },
    undefined, // by the secret that it is given
    { ...options, initialAccessToken },
  )
const config =
  AUTH === 'registered'
    ? await register(INITIAL_ACCESS_TOKEN)
    : await client.discovery(issuer, CLIENT_ID, { id_token_signed_response_alg: ALG }, authentication, options)
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

// manage reads, changes and deletes the registration (RFC 7592), which the library does not do.
const manage = async (method, change) => {
  const { registration_client_uri, registration_access_token, ...metadata } = config.clientMetadata()
  const body = change && JSON.stringify({ ...metadata, client_id_issued_at: undefined, client_secret_expires_at: undefined, ...change })
  const response = await fetch(registration_client_uri, {
    method,
    body,
    headers: { authorization: `Bearer ${registration_access_token}`, ...(body && { 'content-type': 'application/json' }) },
  })
  return { status: response.status, ...(response.status === 200 && (await response.json())) }
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

const reports = {
  '/registration': async () => ({
    strangers: await refusal(register('a token that nobody has issued')),
    withoutAToken: await refusal(register()),
    read: (await manage('GET')).client_name,
    changed: (await manage('PUT', { client_name: 'Renamed' })).client_name,
    deleted: (await manage('DELETE')).status,
    readAfterwards: (await manage('GET')).status,
    clientAfterwards: await refusal(client.clientCredentialsGrant(config)),
  }),
}

http
  .createServer(async (request, response) => {
    try {
      const url = new URL(request.url, BASE)
      if (reports[url.pathname]) {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await reports[url.pathname]()))
        return
      }
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
