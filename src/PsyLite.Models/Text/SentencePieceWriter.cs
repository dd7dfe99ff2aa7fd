using Google.Protobuf;

namespace PsyLite.Models.Text;

/// <summary>Writes the protobuf message ModelProto of sentencepiece_model.proto: what <see cref="SentencePieceParser"/> reads.</summary>
internal static class SentencePieceWriter
{
    private const int BpeModelType = 2;

    internal static byte[] Write(SentencePieceModel model) => Message(output =>
    {
        foreach (var piece in model.Pieces)
        {
            Nested(output, 1, body =>
            {
                Text(body, 1, piece.Text);
                body.WriteTag(2, WireFormat.WireType.Fixed32);
                body.WriteFloat(piece.Score);
                Number(body, 3, (int)piece.Type);
            });
        }

        Nested(output, 2, body => WriteTrainer(body, model));
        Nested(output, 3, body => WriteNormalizer(body, model.Settings));
    });

    private static void WriteTrainer(CodedOutputStream body, SentencePieceModel model)
    {
        var settings = model.Settings;
        Number(body, 3, BpeModelType);
        Number(body, 4, model.VocabSize);
        Number(body, 24, settings.TreatWhitespaceAsSuffix ? 1 : 0);
        Number(body, 35, settings.ByteFallback ? 1 : 0);
        Number(body, 40, model.UnknownId);
        Number(body, 41, model.BosId);
        Number(body, 42, model.EosId);
        Number(body, 43, model.PadId);
        Text(body, 44, settings.UnknownSurface);
        Text(body, 45, model.Pieces[model.UnknownId].Text);
        Text(body, 46, settings.BosPiece);
        Text(body, 47, settings.EosPiece);
        Text(body, 48, settings.PadPiece);
    }

    private static void WriteNormalizer(CodedOutputStream body, SentencePieceSettings settings)
    {
        Text(body, 1, settings.NormalizerName);
        Number(body, 3, settings.AddDummyPrefix ? 1 : 0);
        Number(body, 4, settings.RemoveExtraWhitespaces ? 1 : 0);
        Number(body, 5, settings.EscapeWhitespaces ? 1 : 0);
    }

    private static byte[] Message(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            write(output);
        }

        return bytes.ToArray();
    }

    private static void Nested(CodedOutputStream output, int field, Action<CodedOutputStream> write)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(Message(write)));
    }

    private static void Text(CodedOutputStream output, int field, string text)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteString(text);
    }

    private static void Number(CodedOutputStream output, int field, int number)
    {
        output.WriteTag(field, WireFormat.WireType.Varint);
        output.WriteInt32(number);
    }
}
