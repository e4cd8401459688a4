"""An application with Flask and Authlib, which is also a resource server."""

import os
import time

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


DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
device = {}


def device_tokens():
    """One poll of RFC 8628 §3.4."""
    session = OAuth2Session(**CLIENT)
    endpoint = gatehouse.load_server_metadata()["token_endpoint"]
    return session.fetch_token(endpoint, grant_type=DEVICE_CODE, device_code=device["device_code"])


@app.get("/begin")
def begin():
    endpoint = gatehouse.load_server_metadata()["device_authorization_endpoint"]
    form = {"scope": "openid profile email groups offline_access"}
    device.update(requests.post(endpoint, data=form, auth=tuple(CLIENT.values()), timeout=30).json())
    return jsonify(device)


@app.get("/outcome")
def outcome():
    pause = device["interval"]
    while True:
        time.sleep(pause)
        try:
            token = device_tokens()
            break
        except OAuthError as error:
            if error.error == "slow_down":
                pause += 5
            elif error.error != "authorization_pending":
                raise
    claims = gatehouse.parse_id_token(token, nonce=None)
    endpoint = gatehouse.load_server_metadata()["token_endpoint"]
    refreshed = OAuth2Session(**CLIENT).refresh_token(endpoint, refresh_token=token["refresh_token"])
    return jsonify(
        email=claims["email"],
        groups=claims["groups"],
        userinfo=gatehouse.userinfo(token=token)["email"],
        refreshed=gatehouse.userinfo(token=refreshed)["sub"] == claims["sub"]
        and refreshed["refresh_token"] != token["refresh_token"],
        spent_device_code=refusal(device_tokens),
    )


server = make_server("127.0.0.1", int(os.environ["PORT"]), app)
print("listening")
server.serve_forever()
