using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PsyLite.Store.Keys;

/// <summary>The key of one conversation, of one owner's own records, or of the audit.</summary>
internal sealed class DataKey(byte[] bytes)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },

        // Sealed, never in a page: Chinese may stand as it is.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public ReadOnlySpan<byte> Bytes => bytes;

    public static DataKey Create() => new(RandomNumberGenerator.GetBytes(MasterKey.Length));

    public byte[] Seal<T>(T content, string binding) => SealedBox.Seal(bytes, JsonSerializer.SerializeToUtf8Bytes(content, Json), binding);

    /// <exception cref="CryptographicException">The bytes were changed, belong to another record or to another key.</exception>
    public T Open<T>(ReadOnlySpan<byte> box, string binding) =>
        JsonSerializer.Deserialize<T>(SealedBox.Open(bytes, box, binding), Json) ?? throw new CryptographicException("a sealed record is empty.");

    public byte[] SealBytes(ReadOnlySpan<byte> content, string binding) => SealedBox.Seal(bytes, content, binding);

    /// <exception cref="CryptographicException">The bytes were changed, belong to another record or to another key.</exception>
    public byte[] OpenBytes(ReadOnlySpan<byte> box, string binding) => SealedBox.Open(bytes, box, binding);

    public byte[] Sign(ReadOnlySpan<byte> message) => HMACSHA256.HashData(bytes, message);

    /// <summary>A name that only the holder of this key can connect with <paramref name="id"/>.</summary>
    public string Pseudonym(string id) => Convert.ToHexStringLower(Sign(Encoding.UTF8.GetBytes($"pseudonym|{id}")).AsSpan(0, 8));
}
