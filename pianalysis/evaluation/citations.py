"""What the metrics' definitions were published in, in BibTeX."""

from typing import Final

YEH: Final = """@article{yeh2021harmonization,
  title = {Automatic melody harmonization with triad chords: A comparative study},
  author = {Yeh, Yin-Cheng and Hsiao, Wen-Yi and Fukayama, Satoru and Kitahara, Tetsuro and Genchel, Benjamin and
            Liu, Hao-Min and Dong, Hao-Wen and Chen, Yian and Leong, Terence and Yang, Yi-Hsuan},
  journal = {Journal of New Music Research},
  volume = {50},
  number = {1},
  year = {2021}
}"""

YANG_LERCH: Final = """@article{yang2020evaluation,
  title = {On the evaluation of generative models in music},
  author = {Yang, Li-Chia and Lerch, Alexander},
  journal = {Neural Computing and Applications},
  volume = {32},
  year = {2020},
  note = {online 2018}
}"""

MUSPY: Final = """@inproceedings{dong2020muspy,
  title = {MusPy: A Toolkit for Symbolic Music Generation},
  author = {Dong, Hao-Wen and Chen, Ke and McAuley, Julian and Berg-Kirkpatrick, Taylor},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference},
  year = {2020}
}

@inproceedings{wu2020jazz,
  title = {The Jazz Transformer on the Front Line: Exploring the Shortcomings of AI-composed Music through Quantitative
           Measures},
  author = {Wu, Shih-Lun and Yang, Yi-Hsuan},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference},
  year = {2020}
}"""

POP909: Final = """@inproceedings{wang2020pop909,
  title = {POP909: A Pop-song Dataset for Music Arrangement Generation},
  author = {Wang, Ziyu and Chen, Ke and Jiang, Junyan and Zhang, Yiyi and Xu, Maoran and Dai, Shuqi and Bin, Guxian and
            Xia, Gus},
  booktitle = {Proceedings of the 21st International Society for Music Information Retrieval Conference},
  year = {2020}
}"""

MIR_EVAL: Final = """@inproceedings{raffel2014mireval,
  title = {mir_eval: A Transparent Implementation of Common MIR Metrics},
  author = {Raffel, Colin and McFee, Brian and Humphrey, Eric J. and Salamon, Justin and Nieto, Oriol and Liang, Dawen
            and Ellis, Daniel P. W.},
  booktitle = {Proceedings of the 15th International Society for Music Information Retrieval Conference},
  year = {2014}
}"""

LIN: Final = """@article{lin1991divergence,
  title = {Divergence measures based on the {Shannon} entropy},
  author = {Lin, Jianhua},
  journal = {IEEE Transactions on Information Theory},
  volume = {37},
  number = {1},
  year = {1991}
}"""

LOPEZ_PAZ: Final = """@inproceedings{lopezpaz2017revisiting,
  title = {Revisiting Classifier Two-Sample Tests},
  author = {Lopez-Paz, David and Oquab, Maxime},
  booktitle = {International Conference on Learning Representations},
  year = {2017}
}"""
