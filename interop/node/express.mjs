// An application with express-openid-connect, which has the answer posted to it.
import fs from 'node:fs'
import https from 'node:https'
import express from 'express'
import oidc from 'express-openid-connect'

const { ISSUER, CLIENT_ID, CLIENT_SECRET, BASE, PORT, CERTIFICATE, KEY } = process.env
const application = express()
application.use(
  oidc.auth({
    issuerBaseURL: ISSUER,
    baseURL: BASE,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: 'the-secret-of-the-session-cookie',
    authRequired: false,
    clientAuthMethod: 'client_secret_basic',
    authorizationParams: {
      response_type: 'code',
      response_mode: 'form_post',
      scope: 'openid profile email groups offline_access',
    },
  }),
)
application.get('/', oidc.requiresAuth(), async (request, response) => {
  const { sub, email, groups } = request.oidc.user
  const userinfo = await request.oidc.fetchUserInfo()
  const before = request.oidc.refreshToken
  const fresh = await request.oidc.accessToken.refresh()
  const again = await request.oidc.fetchUserInfo()
  response.json({
    sub,
    email,
    groups,
    userinfo: userinfo.email,
    refreshed: Boolean(fresh.access_token) && again.sub === sub && request.oidc.refreshToken !== before,
  })
})
application.use((error, request, response, next) => {
  response.status(error.statusCode ?? 500).json({ error: error.error ?? String(error) })
})
https
  .createServer({ cert: fs.readFileSync(CERTIFICATE), key: fs.readFileSync(KEY) }, application)
  .listen(PORT, '127.0.0.1', () => console.log('listening'))
