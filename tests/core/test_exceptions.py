import pickle

from tianti.core import exceptions
from tianti.core.exceptions import TiantiError, UnknownNameError, nearest


def test_the_remedy_stands_on_a_line_of_its_own() -> None:
    assert str(TiantiError("it broke", remedy="mend it")) == "it broke\n  → mend it"
    assert str(TiantiError("it broke")) == "it broke"


def test_an_unknown_name_offers_the_nearest_valid_one() -> None:
    error = UnknownNameError("adaptation", "lorra", ["lora", "full"], where="study.yaml")
    assert error.near == ["lora"]
    assert str(error) == "study.yaml: unknown adaptation 'lorra': did you mean 'lora'? Valid: full, lora"


def test_an_unknown_name_without_a_near_one_lists_what_there_is() -> None:
    assert str(UnknownNameError("model", "xyz", ["lora", "full"])) == "unknown model 'xyz': Valid: full, lora"


def test_many_valid_names_are_not_all_listed() -> None:
    assert "Valid" not in str(UnknownNameError("task", "x", [f"task-{i}" for i in range(50)]))


def test_the_drawing_shows_every_error_of_the_tree() -> None:
    classes = [
        value
        for value in vars(exceptions).values()
        if isinstance(value, type) and issubclass(value, TiantiError)
    ]
    assert exceptions.__doc__ is not None
    for error in classes:
        assert error.__name__ in exceptions.__doc__


def test_nearest_is_best_first() -> None:
    assert nearest("sentimnt", ["sentence", "sentiment"])[0] == "sentiment"


def test_errors_travel_between_processes() -> None:
    for error in (TiantiError("it broke", remedy="mend it"), UnknownNameError("model", "lama", ["llama"])):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.__dict__ == error.__dict__
