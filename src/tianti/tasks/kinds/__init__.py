"""The kinds of task. A new kind is one file beside this one and one line here."""

from tianti.tasks.kinds.classification import Classification
from tianti.tasks.kinds.code_generation import CodeGeneration
from tianti.tasks.kinds.controllable_generation import ControllableGeneration
from tianti.tasks.kinds.data_augmentation import DataAugmentation
from tianti.tasks.kinds.dialogue import Dialogue
from tianti.tasks.kinds.extractive_question_answering import ExtractiveQuestionAnswering
from tianti.tasks.kinds.kind import Kind
from tianti.tasks.kinds.language_modelling import LanguageModelling
from tianti.tasks.kinds.multiple_choice import MultipleChoice
from tianti.tasks.kinds.named_entity_recognition import NamedEntityRecognition
from tianti.tasks.kinds.pair_matching import PairMatching
from tianti.tasks.kinds.question_answering import QuestionAnswering
from tianti.tasks.kinds.relation_extraction import RelationExtraction
from tianti.tasks.kinds.summarisation import Summarisation
from tianti.tasks.kinds.translation import Translation

_ALL: tuple[Kind, ...] = (
    Classification(),
    PairMatching(),
    MultipleChoice(),
    QuestionAnswering(),
    ExtractiveQuestionAnswering(),
    NamedEntityRecognition(),
    RelationExtraction(),
    LanguageModelling(),
    Translation(),
    Summarisation(),
    Dialogue(),
    ControllableGeneration(),
    CodeGeneration(),
    DataAugmentation(),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}

__all__ = ["KINDS", "Kind"]
