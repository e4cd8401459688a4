// A device with openid-client. It has no browser: /begin is what it shows, and
// /outcome what came of it.
import http from 'node:http'
import * as client from 'openid-client'

const { ISSUER, CLIENT_ID, BASE, PORT } = process.env
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, { id_token_signed_response_alg: 'ES256' }, client.None(), {
  execute: [client.enableNonRepudiationChecks],
})

// refusal is the OAuth error that something ends with.
const refusal = async (promise) => {
  try {
    await promise
    return 'accepted'
  } catch (error) {
    return error.error ?? error.code ?? String(error)
  }
}

const begin = () => client.initiateDeviceAuthorization(config, { scope: 'openid profile email groups offline_access' })
const ask = ({ device_code }) =>
  client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:device_code', { device_code })

const outcome = async (device, polling) => {
  const tokens = await polling
  const claims = tokens.claims()
  const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
  return {
    email: claims.email,
    groups: claims.groups,
    userinfo: userinfo.email,
    refreshed: refreshed.claims()?.sub === claims.sub && refreshed.refresh_token !== tokens.refresh_token,
    spentDeviceCode: await refusal(ask(device)),
  }
}

let device, polling
const answers = {
  '/begin': async () => {
    device = await begin()
    polling = client.pollDeviceAuthorizationGrant(config, device)
    polling.catch(() => {}) // it may be refused before anybody asks
    return device
  },
  '/outcome': () => outcome(device, polling),
  '/refused': async () => ({ refused: await refusal(polling) }),
  '/hurried': async () => {
    const other = await begin()
    return { first: await refusal(ask(other)), second: await refusal(ask(other)) }
  },
}

http
  .createServer(async (request, response) => {
    try {
      const answer = await answers[new URL(request.url, BASE).pathname]()
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    } catch (error) {
      console.error(error)
      response.writeHead(500).end(String(error.error ?? error))
    }
  })
  .listen(PORT, '127.0.0.1', () => console.log('listening'))
