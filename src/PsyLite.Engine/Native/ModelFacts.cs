using System.Runtime.InteropServices;
using System.Text;

namespace PsyLite.Engine.Native;

/// <summary>What a loaded model says about itself, and llama.cpp's own chat templates.</summary>
internal static unsafe class ModelFacts
{
    private delegate int StringReader(byte* buffer, nuint size);

    public static string Description(ModelHandle model) => Read((buffer, size) => LlamaNative.Description(model, buffer, size));

    /// <summary>Every scalar of the GGUF header as text; arrays as llama.cpp abbreviates them.</summary>
    public static IReadOnlyDictionary<string, string> Metadata(ModelHandle model)
    {
        var metadata = new Dictionary<string, string>();
        var count = LlamaNative.MetadataCount(model);
        for (var i = 0; i < count; i++)
        {
            var index = i;
            metadata[Read((buffer, size) => LlamaNative.MetadataKey(model, index, buffer, size))] =
                Read((buffer, size) => LlamaNative.MetadataValue(model, index, buffer, size));
        }

        return metadata;
    }

    /// <summary>The model's own chat template in Jinja, or null.</summary>
    public static string? ChatTemplate(ModelHandle model) => Marshal.PtrToStringUTF8((nint)LlamaNative.ChatTemplate(model, null));

    /// <summary>Renders messages by the template family that llama.cpp recognises; null when it recognises none.</summary>
    public static string? ApplyTemplate(string template, IReadOnlyList<(string Role, string Content)> messages, bool addAssistant)
    {
        var owned = new List<nint>();
        try
        {
            byte* Utf8(string text)
            {
                var pointer = Marshal.StringToCoTaskMemUTF8(text);
                owned.Add(pointer);
                return (byte*)pointer;
            }

            var native = new TemplateMessage[messages.Count];
            for (var i = 0; i < native.Length; i++)
            {
                native[i] = new TemplateMessage { Role = Utf8(messages[i].Role), Content = Utf8(messages[i].Content) };
            }

            var templateText = Utf8(template);
            var buffer = new byte[1024];
            while (true)
            {
                fixed (TemplateMessage* messagePointer = native)
                fixed (byte* bufferPointer = buffer)
                {
                    var length = LlamaNative.ApplyTemplate(templateText, messagePointer, (nuint)native.Length, addAssistant ? (byte)1 : (byte)0, bufferPointer, buffer.Length);
                    if (length < 0)
                    {
                        return null;
                    }

                    if (length <= buffer.Length)
                    {
                        return Encoding.UTF8.GetString(buffer, 0, length);
                    }

                    buffer = new byte[length];
                }
            }
        }
        finally
        {
            owned.ForEach(Marshal.FreeCoTaskMem);
        }
    }

    private static string Read(StringReader reader)
    {
        var buffer = new byte[512];
        while (true)
        {
            fixed (byte* pointer = buffer)
            {
                var length = reader(pointer, (nuint)buffer.Length);
                if (length < buffer.Length)
                {
                    return Encoding.UTF8.GetString(buffer, 0, Math.Max(length, 0));
                }

                buffer = new byte[length + 1];
            }
        }
    }
}
