"""The shop's recommendation service: what users like, what they did last, and what to recommend to them."""

from typing import Annotated, Literal

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, Field

from gateway import Gateway

app = FastAPI(
    title="Recommendations",
    version="1.0.0",
    description="Preferences of users, their latest activity, and products to recommend to them.",
    contact={"name": "Team recommendations", "url": "https://globalshop.example/teams/recommendations"},
    openapi_tags=[
        {"name": "users", "description": "What a user has chosen and done."},
        {"name": "recommendations", "description": "Products for a user."},
        {"name": "models", "description": "The models behind the recommendations."},
        {"name": "operation", "description": "Running the service."},
    ],
    responses={401: {"description": "The API key is missing or unknown."}, 429: {"description": "Too many requests for this API key."}},
)

UserId = Annotated[str, Path(min_length=1, max_length=64, description="The user, as in the events of the shop.")]


class PreferencesChange(BaseModel):
    language: Literal["de", "en", "fr"] = Field(description="The language of texts for the user.")
    favourite_categories: list[str] = Field(default=[], description="Categories that the user follows.")


class Preferences(PreferencesChange):
    user_id: str


class Activity(BaseModel):
    event_type: Literal["product_view", "add_to_cart", "purchase"]
    product_id: str = Field(pattern=r"^\d{1,18}$", description="Its number in the catalogue.")
    category_id: str | None = Field(default=None, description="Later events have it.")


class Profile(BaseModel):
    """The features of a user that recommendations are computed from."""

    user_id: str
    activities: int = Field(description="Number of activities so far.")
    interests: dict[str, float] = Field(description="Weights of the products that the user dealt with last.")


class Recommendation(BaseModel):
    product_id: str
    score: float
    reason: str = Field(description="Why it is recommended, to be shown to the user.")


class Recommendations(BaseModel):
    user_id: str
    language: str
    items: list[Recommendation]


class ModelChange(BaseModel):
    model: str
    version: str
    uri: str | None = Field(default=None, description="Where the files of the model are.")


class Model(BaseModel):
    model: str
    version: str | None = Field(description="The version in use; null before the first one.")


class Health(BaseModel):
    status: Literal["ok"]
    version: str


WEIGHTS = {"product_view": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
# An older interest counts less with each new activity.
DECAY = 0.8
MOST_INTERESTS = 20

preferences: dict[str, Preferences] = {}
profiles: dict[str, Profile] = {}
models: dict[str, str] = {}


@app.get("/users/{user_id}/preferences", operation_id="getUserPreferences", tags=["users"])
async def get_user_preferences(user_id: UserId) -> Preferences:
    """Returns what a user has chosen, or the defaults."""
    return preferences.get(user_id, Preferences(user_id=user_id, language="en"))


@app.put("/users/{user_id}/preferences", operation_id="setUserPreferences", tags=["users"])
async def set_user_preferences(user_id: UserId, change: PreferencesChange) -> Preferences:
    """Replaces what a user has chosen."""
    preferences[user_id] = Preferences(user_id=user_id, **change.model_dump())
    return preferences[user_id]


@app.post("/users/{user_id}/activities", operation_id="recordActivity", tags=["users"])
async def record_activity(user_id: UserId, activity: Activity) -> Profile:
    """Updates the features of a user with an activity. A request with a known idempotency key changes nothing."""
    profile = profiles.setdefault(user_id, Profile(user_id=user_id, activities=0, interests={}))
    interests = {product: round(weight * DECAY, 6) for product, weight in profile.interests.items()}
    interests[activity.product_id] = interests.get(activity.product_id, 0.0) + WEIGHTS[activity.event_type]
    profile.interests = dict(sorted(interests.items(), key=lambda each: -each[1])[:MOST_INTERESTS])
    profile.activities += 1
    return profile


@app.get("/users/{user_id}/recommendations", operation_id="getRecommendations", tags=["recommendations"])
async def get_recommendations(
    user_id: UserId,
    limit: Annotated[int, Query(ge=1, le=50, description="Maximum number of products.")] = 10,
    language: Annotated[str, Query(description="The language of the reasons.")] = "en",
) -> Recommendations:
    """Returns products for a user, the best first."""
    profile = profiles.get(user_id)
    interests = profile.interests if profile else {}
    scores: dict[str, tuple[float, str]] = {}
    for product, weight in interests.items():
        for distance, neighbour in enumerate(neighbours(product), start=1):
            score = weight / distance
            if neighbour not in interests and score > scores.get(neighbour, (0.0, ""))[0]:
                scores[neighbour] = (score, product)
    best = sorted(scores.items(), key=lambda each: (-each[1][0], each[0]))[:limit]
    items = [Recommendation(product_id=product, score=round(score, 6), reason=f"similar to {source}") for product, (score, source) in best]
    return Recommendations(user_id=user_id, language=language, items=items)


@app.post("/models/reload", operation_id="reloadModel", tags=["models"])
async def reload_model(change: ModelChange) -> Model:
    """Loads a version of a model."""
    models[change.model] = change.version
    return Model(model=change.model, version=change.version)


@app.get("/models/{model}", operation_id="getModel", tags=["models"])
async def get_model(model: str) -> Model:
    """Returns the version of a model that is in use."""
    return Model(model=model, version=models.get(model))


@app.get("/health", operation_id="getHealth", tags=["operation"])
async def get_health() -> Health:
    """Answers as soon as the service can be used. Needs no key."""
    return Health(status="ok", version=app.version)


def neighbours(product: str) -> list[str]:
    """The catalogue numbers similar products one after the other."""
    return [str(int(product) + step) for step in (1, 2, 3)]


app.add_middleware(Gateway)
