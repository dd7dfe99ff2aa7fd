using System.Text;
using Google.Protobuf;

namespace PsyLite.Models.Text;

/// <summary>Reads the protobuf message ModelProto of sentencepiece_model.proto.</summary>
internal static class SentencePieceParser
{
    /// <summary>Upper bound on a model file; real ones have 0.1 to 10 MB.</summary>
    internal const int MaxModelBytes = 256 << 20;

    private const int BpeModelType = 2;
    private const int UnigramModelType = 1;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    internal static SentencePieceModel Parse(byte[] bytes)
    {
        try
        {
            return ReadModel(new CodedInputStream(bytes));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or DecoderFallbackException)
        {
            throw new InvalidDataException($"not a SentencePiece model, or a damaged one ({OneLine(e.Message)}).", e);
        }
    }

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").TrimEnd('.', ' ');

    private static SentencePieceModel ReadModel(CodedInputStream input)
    {
        var pieces = new List<SentencePiece>();
        var settings = new SentencePieceSettings();
        var modelType = UnigramModelType;
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (1 << 3) | 2:
                    pieces.Add(ReadPiece(input.ReadBytes().CreateCodedInput()));
                    break;
                case (2 << 3) | 2:
                    (settings, modelType) = ReadTrainer(input.ReadBytes().CreateCodedInput(), settings, modelType);
                    break;
                case (3 << 3) | 2:
                    settings = ReadNormalizer(input.ReadBytes().CreateCodedInput(), settings);
                    break;
                case (5 << 3) | 2:
                    // The denormaliser: read for its check that it rewrites nothing, its other settings have no effect.
                    _ = ReadNormalizer(input.ReadBytes().CreateCodedInput(), settings);
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (pieces.Count == 0)
        {
            throw new InvalidDataException("not a SentencePiece model: it holds no pieces.");
        }

        return modelType == BpeModelType
            ? new SentencePieceModel(pieces, settings)
            : throw new InvalidDataException("this SentencePiece model is not of type BPE; only BPE models (spm_train --model_type=bpe) can be used.");
    }

    private static SentencePiece ReadPiece(CodedInputStream input)
    {
        var text = "";
        var score = 0f;
        var type = PieceType.Normal;
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (1 << 3) | 2:
                    text = ReadText(input);
                    break;
                case (2 << 3) | 5:
                    score = input.ReadFloat();
                    break;
                case 3 << 3:
                    type = (PieceType)input.ReadEnum();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return new SentencePiece(text, score, type);
    }

    private static (SentencePieceSettings Settings, int ModelType) ReadTrainer(CodedInputStream input, SentencePieceSettings settings, int modelType)
    {
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case 3 << 3:
                    modelType = input.ReadEnum();
                    break;
                case 24 << 3:
                    settings = settings with { TreatWhitespaceAsSuffix = input.ReadBool() };
                    break;
                case 35 << 3:
                    settings = settings with { ByteFallback = input.ReadBool() };
                    break;
                case (44 << 3) | 2:
                    settings = settings with { UnknownSurface = ReadText(input) };
                    break;
                case (46 << 3) | 2:
                    settings = settings with { BosPiece = ReadText(input) };
                    break;
                case (47 << 3) | 2:
                    settings = settings with { EosPiece = ReadText(input) };
                    break;
                case (48 << 3) | 2:
                    settings = settings with { PadPiece = ReadText(input) };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return (settings, modelType);
    }

    private static SentencePieceSettings ReadNormalizer(CodedInputStream input, SentencePieceSettings settings)
    {
        var characterMapBytes = 0;
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            switch (tag)
            {
                case (1 << 3) | 2:
                    settings = settings with { NormalizerName = ReadText(input) };
                    break;
                case (2 << 3) | 2:
                    characterMapBytes = input.ReadBytes().Length;
                    break;
                case 3 << 3:
                    settings = settings with { AddDummyPrefix = input.ReadBool() };
                    break;
                case 4 << 3:
                    settings = settings with { RemoveExtraWhitespaces = input.ReadBool() };
                    break;
                case 5 << 3:
                    settings = settings with { EscapeWhitespaces = input.ReadBool() };
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        return characterMapBytes == 0
            ? settings
            : throw new InvalidDataException($"the normalisation rule {ErrorText.Quote(settings.NormalizerName)} rewrites characters; only models trained with --normalization_rule_name=identity can be used.");
    }

    private static string ReadText(CodedInputStream input) => StrictUtf8.GetString(input.ReadBytes().Span);
}
