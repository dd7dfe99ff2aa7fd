using System.Collections;
using System.Globalization;

namespace PsyLite.Models.Gguf;

/// <summary>
/// The key-value pairs of a GGUF file in file order. A value is one of the .NET types named at <see cref="GgufValueType"/> or an array of
/// one of them.
/// </summary>
public sealed class GgufMetadata : IReadOnlyCollection<KeyValuePair<string, object>>
{
    private readonly OrderedDictionary<string, object> _values = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public int Count => _values.Count;

    /// <summary>Whether there is a value under this key.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>The value under a key. Numbers are converted between integer and floating types where the value fits.</summary>
    /// <exception cref="InvalidDataException">There is no such key, or its value is of another kind.</exception>
    public T Get<T>(string key)
        where T : notnull =>
        _values.TryGetValue(key, out var value)
            ? Convert<T>(key, value)
            : throw new InvalidDataException($"the GGUF file lacks the metadata {ErrorText.Quote(key)}.");

    /// <summary>The value under a key, or the fallback if there is none.</summary>
    /// <exception cref="InvalidDataException">The value is of another kind.</exception>
    public T Get<T>(string key, T fallback)
        where T : notnull => _values.TryGetValue(key, out var value) ? Convert<T>(key, value) : fallback;

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _values.GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Type of a scalar, or of the elements of an array; null for a type GGUF does not have.</summary>
    internal static GgufValueType? TypeOf(Type type) => type switch
    {
        _ when type == typeof(byte) => GgufValueType.UInt8,
        _ when type == typeof(sbyte) => GgufValueType.Int8,
        _ when type == typeof(ushort) => GgufValueType.UInt16,
        _ when type == typeof(short) => GgufValueType.Int16,
        _ when type == typeof(uint) => GgufValueType.UInt32,
        _ when type == typeof(int) => GgufValueType.Int32,
        _ when type == typeof(float) => GgufValueType.Float32,
        _ when type == typeof(bool) => GgufValueType.Bool,
        _ when type == typeof(string) => GgufValueType.String,
        _ when type == typeof(ulong) => GgufValueType.UInt64,
        _ when type == typeof(long) => GgufValueType.Int64,
        _ when type == typeof(double) => GgufValueType.Float64,
        _ => null,
    };

    internal bool TryAdd(string key, object value) => _values.TryAdd(key, value);

    internal void Set(string key, object value) => _values[key] = value;

    private static T Convert<T>(string key, object value)
        where T : notnull
    {
        if (value is T exact)
        {
            return exact;
        }

        try
        {
            if (value is IConvertible number and not (string or bool) && default(T) is IConvertible and not bool)
            {
                return (T)number.ToType(typeof(T), CultureInfo.InvariantCulture);
            }
        }
        catch (Exception e) when (e is OverflowException or InvalidCastException)
        {
            throw new InvalidDataException($"the GGUF metadata {ErrorText.Quote(key)} has the value {value}, which does not fit {typeof(T).Name}.", e);
        }

        throw new InvalidDataException($"the GGUF metadata {ErrorText.Quote(key)} is of type {value.GetType().Name}, not {typeof(T).Name}.");
    }
}
