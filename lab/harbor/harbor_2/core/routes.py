"""Which handler answers what; below /v2/ the door does (door/handlers.py)."""

from . import login, tokens
from .api import registries, system, users
from .api import routes as api
from .routing import route

ROUTES = [
    route("GET", "/service/token", tokens.token),
    route("POST", "/c/login", login.log_in),
    route("GET", "/c/log_out", login.log_out),
    route("POST", "/c/userExists", login.user_exists),
    route("GET", "/api/version", system.version),
    route("GET", "/api/v2.0/ping", system.ping),
    route("GET", "/api/v2.0/health", system.health),
    route("GET", "/api/v2.0/systeminfo", system.info),
    route("GET", "/api/v2.0/systeminfo/volumes", system.volumes),
    route("GET", "/api/v2.0/systeminfo/getcert", system.certificate),
    route("GET", "/api/v2.0/configurations", system.configurations),
    route("PUT", "/api/v2.0/configurations", system.change_configurations),
    route("GET", "/api/v2.0/internalconfig", system.internal_configuration),
    route("GET", "/api/v2.0/users/current", users.current),
    route("GET", "/api/v2.0/users/search", users.search),
    route("GET", "/api/v2.0/users", users.listing),
    route("POST", "/api/v2.0/users", users.create),
    route("GET", "/api/v2.0/users/{user_id}", users.get),
    route("DELETE", "/api/v2.0/users/{user_id}", users.delete),
    route("PUT", "/api/v2.0/users/{user_id}/password", users.change_password),
    route("GET", "/api/v2.0/registries", registries.listing),
    route("POST", "/api/v2.0/registries", registries.create),
    route("POST", "/api/v2.0/registries/ping", registries.ping),
    route("GET", "/api/v2.0/registries/{registry_id}", registries.get),
    route("DELETE", "/api/v2.0/registries/{registry_id}", registries.delete),
    *api.ROUTES,
]
