"""The ten packages: pure Python, two consecutive releases each, as PyPI serves them."""

from dataclasses import dataclass

__all__ = ["PACKAGES", "Package", "Release"]


@dataclass(frozen=True)
class Release:
    """A source distribution; its digest says which bytes it is."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Package:
    """Two releases, the second the first stable one after the other."""

    name: str
    old: Release
    new: Release


PACKAGES = (
    Package(
        "attrs",
        Release("21.4.0", "626ba8234211db98e869df76230a137c4c40a12d72445c45d5f5b716f076e2fd"),
        Release("22.1.0", "29adc2665447e5191d0e7c568fde78b21f9672d344281d0c6e1ab085429b22b6"),
    ),
    Package(
        "click",
        Release("8.0.4", "8458d7b1287c5fb128c90e23381cf99dcde74beaf6c7ff6384ce84d6fe090adb"),
        Release("8.1.0", "977c213473c7665d3aa092b41ff12063227751c41d7b17165013e10069cc5cd2"),
    ),
    Package(
        "docutils",
        Release("0.19", "33995a6753c30b7f577febfc2c50411fec6aac7f7ffeb7c4cfe5991072dcf9e6"),
        Release("0.20", "f75a5a52fbcacd81b47e42888ad2b380748aaccfb3f13af0fe69deb759f01eb6"),
    ),
    Package(
        "flask",
        Release("2.1.3", "15972e5017df0575c3d6c090ba168b6db90259e620ac8d7ea813a396bad5b6cb"),
        Release("2.2.0", "98b33b13ad76ee9c7a80d2f56a6c578780e55bf8281790c62d50d4b7fadec2b8"),
    ),
    Package(
        "jinja2",
        Release("3.0.3", "611bb273cd68f3b993fabdc4064fc858c5b47a973cb5aa7999ec1ba405c87cd7"),
        Release("3.1.0", "a2f09a92f358b96b5f6ca6ecb4502669c4acb55d8733bbb2b2c9c4af5564c605"),
    ),
    Package(
        "markdown",
        Release("3.3.7", "cbb516f16218e643d8e0a95b309f77eb118cb138d39a4f27851e6a63581db874"),
        Release("3.4", "03078d25ed76dd9d2a803e5708ddb1c4ec3a5ed7654bc882e032364f09c184d5"),
    ),
    Package(
        "paramiko",
        Release("2.12.0", "376885c05c5d6aa6e1f4608aac2a6b5b0548b1add40274477324605903d9cd49"),
        Release("3.0.0", "fedc9b1dd43bc1d45f67f1ceca10bc336605427a46dcdf8dec6bfea3edf57965"),
    ),
    Package(
        "pyparsing",
        Release("2.4.7", "c203ec8783bf771a155b207279b9bccb8dea02d8f0c9e5f8ead507bc3246ecc1"),
        Release("3.0.0", "001cad8d467e7a9248ef9fd513f5c0d39afcbcb9a43684101853bd0ab962e479"),
    ),
    Package(
        "sqlparse",
        Release("0.3.1", "e162203737712307dfe78860cc56c8da8a852ab2ee33750e33aeadf38d12c548"),
        Release("0.4.0", "d59e473424ae7470778fa4dd0dd7bb666ff324f0a6106c29deb5946ea5367f04"),
    ),
    Package(
        "werkzeug",
        Release("2.0.3", "b863f8ff057c522164b6067c9e28b041161b4be5ba4d0daceeaa50a163822d3c"),
        Release("2.1.0", "9b55466a3e99e13b1f0686a66117d39bda85a992166e0a79aedfcf3586328f7a"),
    ),
)
