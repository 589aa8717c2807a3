"""The page of the docs that lists the papers of the mining algorithms, from `Algorithm.paper`."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from common.mining.registry import ALGORITHMS

HEAD = {
    "en": """# Bibliography

The papers that the mining algorithms come from. The page of an algorithm says where it departs from its paper, and
names further sources. This page is rendered from the code; `make fix` renders it again.

| authors | title | published | algorithm |
|---|---|---|---|
""",
    "zh": """# 参考文献

各挖掘算法所依据的论文。算法的页面说明它与论文的差异，并列出其他来源。本页由代码生成，用 `make fix` 重新生成。

| 作者 | 标题 | 发表 | 算法 |
|---|---|---|---|
""",
}


class Paper(NamedTuple):
    """A paper, as `Algorithm.paper` gives it: `authors: title. venue`."""

    authors: str
    title: str
    venue: str

    @classmethod
    def of(cls, text: str) -> "Paper":
        """Take the text of a paper apart.

        Raises:
            ValueError: it has another form.
        """
        parts = re.fullmatch(r"([^:]+): (.+)\. ([^.]+(?:\.\d+)?)", text)
        if parts is None:
            raise ValueError(f"{text!r} is not of the form 'authors: title. venue'")
        return cls(*parts.groups())


def bibliography(language: Literal["en", "zh"]) -> str:
    """The page, by first author."""
    rows = sorted(_papers().items())
    return HEAD[language] + "".join(_row(Paper.of(text), names) for text, names in rows)


def _papers() -> dict[str, list[str]]:
    """Names of the algorithms of each paper; the baseline has none."""
    papers: dict[str, list[str]] = {}
    for name, paper in _algorithms():
        names = papers.setdefault(paper, [])
        if name not in names:
            names.append(name)
    return papers


def _algorithms() -> Iterator[tuple[str, str]]:
    for algorithms in ALGORITHMS.values():
        for algorithm in algorithms.values():
            if not algorithm.paper.startswith("none:"):
                yield algorithm.name, algorithm.paper


def _row(paper: Paper, names: list[str]) -> str:
    venue = re.sub(r"arXiv:(\S+)", r"[arXiv:\1](https://arxiv.org/abs/\1)", paper.venue)
    links = ", ".join(f"[{name}]({name.lower()}.md)" for name in names)
    return f"| {paper.authors} | {paper.title} | {venue} | {links} |\n"
