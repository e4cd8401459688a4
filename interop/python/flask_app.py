"""An application with Flask and Authlib, which is also a resource server."""

import os

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask, jsonify
from werkzeug.serving import make_server

ISSUER, BASE = os.environ["ISSUER"], os.environ["BASE"]
CLIENT = {"client_id": os.environ["CLIENT_ID"], "client_secret": os.environ["CLIENT_SECRET"]}

app = Flask(__name__)
app.secret_key = "the-secret-of-the-session-cookie"
gatehouse = OAuth(app).register(
    "gatehouse",
    server_metadata_url=ISSUER + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email groups offline_access", "code_challenge_method": "S256"},
    **CLIENT,
)


class Validator(JWTBearerTokenValidator):
    """The resource server's side: RFC 9068 §4."""

    def get_jwks(self):
        metadata = requests.get(ISSUER + "/.well-known/oauth-authorization-server", timeout=30).json()
        return requests.get(metadata["jwks_uri"], timeout=30).json()


def accepted(token, resource_server):
    """What a resource server of this name says to an access token."""
    validator = Validator(issuer=ISSUER, resource_server=resource_server)
    try:
        claims = validator.authenticate_token(token)
        validator.validate_token(claims, ["openid"], None)
    except Exception as error:
        return type(error).__name__
    return claims["sub"]


def refusal(call):
    try:
        call()
    except OAuthError as error:
        return error.error
    return "accepted"


@app.get("/login")
def login():
    return gatehouse.authorize_redirect(BASE + "/callback")


@app.get("/callback")
def callback():
    # Validates state, the ID token and its nonce.
    token = gatehouse.authorize_access_token()
    claims = token["userinfo"]
    userinfo = gatehouse.userinfo(token=token)
    endpoint = gatehouse.load_server_metadata()["token_endpoint"]
    refreshed = OAuth2Session(**CLIENT).refresh_token(endpoint, refresh_token=token["refresh_token"])
    again = gatehouse.userinfo(token=refreshed)
    stranger = OAuth2Session(CLIENT["client_id"], "another secret")
    return jsonify(
        sub=claims["sub"],
        email=claims["email"],
        groups=claims["groups"],
        userinfo=userinfo["email"],
        refreshed=again["sub"] == claims["sub"] and refreshed["refresh_token"] != token["refresh_token"],
        here=accepted(refreshed["access_token"], ISSUER) == claims["sub"],
        elsewhere=accepted(refreshed["access_token"], "https://api.example.com"),
        with_id_token=accepted(token["id_token"], ISSUER),
        stranger=refusal(lambda: stranger.refresh_token(endpoint, refresh_token=refreshed["refresh_token"])),
        spent_refresh_token=refusal(
            lambda: OAuth2Session(**CLIENT).refresh_token(endpoint, refresh_token=token["refresh_token"])
        ),
    )


server = make_server("127.0.0.1", int(os.environ["PORT"]), app)
print("listening")
server.serve_forever()
